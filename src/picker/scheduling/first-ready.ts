import type { EndpointSource } from './interface/endpoint-snapshot';

/** The pool that a request goes to, of those to try in turn: the first with a ready endpoint; without any, the first. */
export function firstReady<A extends { readonly pool: { readonly endpoints: EndpointSource } }>(attempts: readonly A[]): A {
  if (attempts.length > 1) {
    for (let i = 0; i < attempts.length; i++) {
      if (attempts[i]!.pool.endpoints.snapshot.ready.length > 0) return attempts[i]!;
    }
  }
  return attempts[0]!;
}
