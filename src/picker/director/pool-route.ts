import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';

/** A pool as the director sends requests to it. */
export interface PoolRoute {
  readonly name: string;
  readonly endpoints: EndpointSource;
  /** Request headers that tell the proxy the pool, name and value in turn; undefined where it knows. */
  readonly setHeaders: readonly string[] | undefined;
}

/** A pool to try, and the model that its engines must see. */
export interface Attempt {
  readonly pool: PoolRoute;
  /** Undefined for the resolved target model. */
  readonly targetModel: string | undefined;
}

/** Header that names the pool's cluster to the proxy of sidecar mode. */
export const POOL_HEADER = 'x-aig-pool';
