import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `load-aware-scorer`: prefers short queues in absolute terms, `0.5 · (1 − min(q, threshold) / threshold)` for q waiting requests, so an
 * empty queue scores 0.5 and one at the threshold 0.
 * Formula: llm-d-router v0.10, `scheduling/scorer/loadaware`. Parameter: `threshold`, at least 1, 128 by default.
 */
export class LoadAwareScorer implements Scorer {
  public static readonly TYPE = 'load-aware-scorer';
  public readonly usesMetrics = true;

  public constructor(private readonly threshold: number) {}

  public static fromParameters(parameters: PluginParameters): LoadAwareScorer {
    const threshold = parameters.integer('threshold', 128, { min: 1 });
    parameters.done();
    return new LoadAwareScorer(threshold);
  }

  public score(
    _request: SchedulingRequest,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { waiting } = table;
    const threshold = this.threshold;
    for (let k = 0; k < count; k++) {
      const q = waiting[candidates[k]!]!;
      totals[k] = totals[k]! + weight * 0.5 * (1 - (q < threshold ? q : threshold) / threshold);
    }
  }
}
