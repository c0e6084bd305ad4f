import type { PickerPolicy, PoolEndpoints } from '../../picker-config/picker-policy';

/** How the endpoints of a pool are found. */
export type DiscoverySettings = { readonly kind: 'file'; readonly path: string; readonly watch: boolean };

/** One pool that the picker serves. */
export interface PoolPlan {
  readonly name: string;
  readonly discovery: DiscoverySettings;
  /** True when the proxy must be told which pool a request goes to, because it knows several. */
  readonly isNamed: boolean;
}

/** The pools of a policy; those whose endpoints are found in a way that the program lacks are for `unsupportedPools`. */
export function policyPools(policy: PickerPolicy): PoolPlan[] {
  return policy.pools.flatMap(({ name, endpoints }) => {
    const discovery = discoveryOf(endpoints);
    return discovery === undefined ? [] : [{ name, discovery, isNamed: true }];
  });
}

/** Undefined where the program cannot find endpoints this way. */
export function discoveryOf(endpoints: PoolEndpoints): DiscoverySettings | undefined {
  return endpoints.kind === 'file' ? { kind: 'file', path: endpoints.path, watch: true } : undefined;
}
