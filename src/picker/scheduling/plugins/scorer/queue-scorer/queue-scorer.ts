import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { addFewerIsBetter } from '../fewer-is-better';

/**
 * `queue-scorer`: prefers short queues, `(max − q) / (max − min)` over the candidates' waiting requests q; all equal score 1.
 * Formula: llm-d-router v0.10, `scheduling/scorer/queuedepth`. No parameters.
 */
export class QueueScorer implements Scorer {
  public static readonly TYPE = 'queue-scorer';
  public readonly usesMetrics = true;

  public static fromParameters(parameters: PluginParameters): QueueScorer {
    parameters.done();
    return new QueueScorer();
  }

  public score(
    _request: SchedulingRequest,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    addFewerIsBetter(table.waiting, table.trustRatio, candidates, count, weight, totals);
  }
}
