import type { PickerPolicy, PoolEndpoints, PoolGroup } from '../../picker-config/picker-policy';

/** How the endpoints of a pool are found. */
export type DiscoverySettings =
  | { readonly kind: 'file'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'dns'; readonly host: string; readonly ports: readonly number[] }
  | { readonly kind: 'inferencePool'; readonly name: string; readonly namespace: string; readonly group: PoolGroup }
  | {
      readonly kind: 'selector';
      readonly namespace: string;
      readonly matchLabels: Readonly<Record<string, string>>;
      readonly ports: readonly number[];
    };

/** One pool that the picker serves. */
export interface PoolPlan {
  readonly name: string;
  readonly discovery: DiscoverySettings;
  /** True when the proxy must be told which pool a request goes to, because it knows several. */
  readonly isNamed: boolean;
}

/** The pools of a policy. @param namespace that of pools which name none */
export function policyPools(policy: PickerPolicy, namespace: string): PoolPlan[] {
  return policy.pools.map(({ name, endpoints }) => ({ name, discovery: discoveryOf(endpoints, namespace), isNamed: true }));
}

function discoveryOf(endpoints: PoolEndpoints, namespace: string): DiscoverySettings {
  if (endpoints.kind === 'file') return { kind: 'file', path: endpoints.path, watch: true };
  if (endpoints.kind === 'dns') return endpoints;
  if (endpoints.kind === 'selector') return { ...endpoints, namespace: endpoints.namespace ?? namespace };
  // the parser takes no other group
  return { ...endpoints, namespace: endpoints.namespace ?? namespace, group: endpoints.group as PoolGroup };
}
