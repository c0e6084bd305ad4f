import type { ApiGeneration } from '../values/api-generation';

/** What a picker has to know of a pool to find its endpoints. */
export interface PoolReference {
  /** Name of the pool, and of its InferencePool object. */
  readonly name: string;
  /** Namespace of the pool. @default - the chart's namespace */
  readonly namespace: string | undefined;
  readonly generation: ApiGeneration;
  /** False where the cluster has no InferencePool kind: the picker then selects pods by label. */
  readonly installed: boolean;
  /** Labels of the pool's pods. */
  readonly podLabels: { readonly [key: string]: string };
  /** Ports of the engine on each pod. */
  readonly ports: readonly number[];
}
