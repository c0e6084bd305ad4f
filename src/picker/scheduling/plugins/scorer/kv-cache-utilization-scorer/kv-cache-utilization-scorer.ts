import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `kv-cache-utilization-scorer`: prefers free KV cache, `1 − usage`.
 * Formula: llm-d-router v0.10, `scheduling/scorer/kvcacheutilization`. No parameters.
 */
export class KvCacheUtilizationScorer implements Scorer {
  public static readonly TYPE = 'kv-cache-utilization-scorer';
  public readonly usesMetrics = true;

  public static fromParameters(parameters: PluginParameters): KvCacheUtilizationScorer {
    parameters.done();
    return new KvCacheUtilizationScorer();
  }

  public score(
    _request: SchedulingRequest,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { kvUsageRatio } = table;
    for (let k = 0; k < count; k++) {
      const free = 1 - kvUsageRatio[candidates[k]!]!;
      totals[k] = totals[k]! + weight * (free < 0 ? 0 : free > 1 ? 1 : free);
    }
  }
}
