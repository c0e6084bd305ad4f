import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { addFewerIsBetter } from '../fewer-is-better';

/**
 * `running-requests-size-scorer`: prefers little running work, `(max − r) / (max − min)` over the candidates' running requests r; all equal score 1.
 * Formula: llm-d-router v0.10, `scheduling/scorer/runningrequests`. No parameters.
 */
export class RunningRequestsSizeScorer implements Scorer {
  public static readonly TYPE = 'running-requests-size-scorer';
  public readonly usesMetrics = true;

  public static fromParameters(parameters: PluginParameters): RunningRequestsSizeScorer {
    parameters.done();
    return new RunningRequestsSizeScorer();
  }

  public score(
    _request: SchedulingRequest,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    addFewerIsBetter(table.running, table.trustRatio, candidates, count, weight, totals);
  }
}
