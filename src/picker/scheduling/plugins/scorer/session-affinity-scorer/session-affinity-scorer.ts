import type { Clock } from '../../../../../shared/clock';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { type SessionAffinity, sessionAffinity } from '../../session-affinity';

/**
 * `session-affinity-scorer`: 1 for the endpoint that the session was sent to before, 0 for the others.
 * As llm-d-router v0.10, `scheduling/scorer/sessionaffinity`. Parameters: see `sessionAffinity`.
 */
export class SessionAffinityScorer implements Scorer {
  public static readonly TYPE = 'session-affinity-scorer';
  public readonly usesMetrics = false;

  public constructor(private readonly affinity: SessionAffinity) {}

  public static fromParameters(parameters: PluginParameters, { clock }: { readonly clock: Clock }): SessionAffinityScorer {
    return new SessionAffinityScorer(sessionAffinity(parameters, clock));
  }

  public get producer(): Producer {
    return this.affinity;
  }

  public score(
    _request: SchedulingRequest,
    _snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { boundSlot } = this.affinity;
    if (boundSlot < 0) return;
    for (let k = 0; k < count; k++) if (candidates[k] === boundSlot) totals[k] = totals[k]! + weight;
  }
}
