import type { EndpointSnapshot } from '../../interface/endpoint-snapshot';
import type { Filter } from '../../interface/plugins';
import type { SchedulingRequest } from '../../interface/scheduling-request';
import { PerEndpoint } from '../../per-endpoint';

/** Label that says what an engine of a disaggregated pool does. */
export const ROLE_LABEL = 'llm-d.ai/role';

/** Keeps endpoints by their role, as llm-d-router v0.10 does in `scheduling/filter/bylabel/roles.go`. */
export abstract class RoleFilter implements Filter {
  private readonly fits: PerEndpoint<boolean>;

  /** @param allowsNoRole whether endpoints without the label stay */
  protected constructor(roles: readonly string[], allowsNoRole: boolean) {
    this.fits = new PerEndpoint(({ labels }) =>
      Object.hasOwn(labels, ROLE_LABEL) ? roles.includes(labels[ROLE_LABEL]!) : allowsNoRole,
    );
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (this.fits.of(snapshot, slot)) candidates[kept++] = slot;
    }
    return kept;
  }
}
