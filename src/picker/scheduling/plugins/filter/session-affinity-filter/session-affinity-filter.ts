import type { Clock } from '../../../../../shared/clock';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter, Producer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { type SessionAffinity, sessionAffinity } from '../../session-affinity';

/**
 * `session-affinity-filter`: keeps only the endpoint that the session was sent to before; all, where there is none or it is no candidate.
 * As llm-d-router v0.10, `scheduling/filter/sessionaffinity`. Parameters: see `sessionAffinity`.
 */
export class SessionAffinityFilter implements Filter {
  public static readonly TYPE = 'session-affinity-filter';

  public constructor(private readonly affinity: SessionAffinity) {}

  public static fromParameters(parameters: PluginParameters, { clock }: { readonly clock: Clock }): SessionAffinityFilter {
    return new SessionAffinityFilter(sessionAffinity(parameters, clock));
  }

  public get producer(): Producer {
    return this.affinity;
  }

  public filter(_request: SchedulingRequest, _snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const { boundSlot } = this.affinity;
    for (let k = 0; k < count; k++) {
      if (candidates[k] !== boundSlot) continue;
      candidates[0] = boundSlot;
      return 1;
    }
    return count;
  }
}
