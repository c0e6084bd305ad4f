import type { Construct } from 'constructs';
import { emit } from '../internal/emit';
import { refuse } from '../internal/errors';

/** A backend of a route in another namespace. */
export interface ForeignBackend {
  readonly kind: 'InferencePool' | 'Service';
  readonly name: string;
  readonly namespace: string;
}

/**
 * Lets routes of `routeNamespace` name a backend of another namespace. The grant belongs to the side that is referred to.
 *
 * @throws AIG481 when grants were turned off
 */
export function emitRouteGrant(scope: Construct, routeNamespace: string, backend: ForeignBackend, allowed: boolean): void {
  if (!allowed) {
    refuse(scope, {
      code: 'AIG481',
      what: `the route is in another namespace than its backend ${backend.kind} '${backend.name}', and grants are off`,
      value: `${routeNamespace} → ${backend.namespace}`,
      allowed: 'one namespace, or a ReferenceGrant in the namespace of the backend',
      fix: 'leave referenceGrants on, or move the gateway construct or the pool',
    });
  }
  emit(scope, `Grant-${backend.namespace}-${backend.kind}-${backend.name}`, {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: `${routeNamespace}-to-${backend.name}`, namespace: backend.namespace },
    body: {
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: routeNamespace }],
        to: [{ group: backend.kind === 'Service' ? '' : 'inference.networking.k8s.io', kind: backend.kind, name: backend.name }],
      },
    },
    why: `lets the route in ${routeNamespace} send requests to ${backend.namespace}`,
  });
}
