import type { PickerPolicy } from '../../picker-config/picker-policy';
import type { RandomSource } from '../../shared/random';
import type { ModelRewrites } from '../datastore/model-rewrites';
import type { Objectives } from '../datastore/objectives';
import type { PoolEndpoints } from '../datastore/pool-endpoints';
import { type ModelResolver, PassModelResolver } from '../director/model-resolver';
import { type AskingClient, PolicyModelResolver } from '../director/policy-model-resolver';
import { POOL_HEADER, type PoolRoute } from '../director/pool-route';
import type { PoolPlan } from './pool-plan';

/** A pool that the program serves, and where its endpoints go. */
export interface ServedPool extends PoolRoute {
  readonly endpoints: PoolEndpoints;
}

export function servedPool({ name, isNamed }: PoolPlan, endpoints: PoolEndpoints): ServedPool {
  return { name, endpoints, setHeaders: isNamed ? [POOL_HEADER, name] : undefined };
}

/**
 * By the policy where it names models or pools; else one pool serves whatever it is asked for.
 * @param objectives of the cluster, where the headers that name them are believed @default those headers mean nothing
 */
export function modelResolver(
  policy: PickerPolicy | undefined,
  pools: ReadonlyMap<string, PoolRoute>,
  rewrites: ModelRewrites,
  random: RandomSource,
  client: AskingClient,
  objectives?: Objectives,
): ModelResolver {
  const [only] = pools.values();
  return policy === undefined || (policy.models.length === 0 && policy.pools.length === 0)
    ? new PassModelResolver(only!, rewrites, objectives)
    : new PolicyModelResolver(policy, pools, random, client);
}
