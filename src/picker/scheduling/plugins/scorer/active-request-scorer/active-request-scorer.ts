import { inFlightAt } from '../../../flight-book';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { duration } from '../../producer/session-id-producer/session-id-producer';

/**
 * `active-request-scorer`: prefers endpoints with few requests of this picker under way: 1 up to `idleThreshold`, beyond it
 * `(most − own) / most · maxBusyScore`, where most is the highest count among the candidates.
 * Formula: llm-d-router v0.10, `scheduling/scorer/activerequest`. Parameters: `idleThreshold` 0, `maxBusyScore` 1, and `requestTimeout`, which
 * has no effect: there it bounds how long a lost request counts, here every request is settled.
 */
export class ActiveRequestScorer implements Scorer {
  public static readonly TYPE = 'active-request-scorer';
  public readonly usesMetrics = false;

  public constructor(
    private readonly idleThreshold: number,
    private readonly maxBusyScore: number,
  ) {}

  public static fromParameters(parameters: PluginParameters): ActiveRequestScorer {
    const idleThreshold = parameters.integer('idleThreshold', 0, { min: 0 });
    const maxBusyScore = parameters.number('maxBusyScore', 1, { min: 0, max: 1 });
    duration(parameters, 'requestTimeout', 0);
    parameters.done();
    return new ActiveRequestScorer(idleThreshold, maxBusyScore);
  }

  public score(
    _request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { table } = snapshot;
    let most = 0;
    for (let k = 0; k < count; k++) most = Math.max(most, inFlightAt(table, candidates[k]!));
    for (let k = 0; k < count; k++) {
      const own = inFlightAt(table, candidates[k]!);
      const score = own <= this.idleThreshold ? 1 : ((most - own) / most) * this.maxBusyScore;
      totals[k] = totals[k]! + weight * score;
    }
  }
}
