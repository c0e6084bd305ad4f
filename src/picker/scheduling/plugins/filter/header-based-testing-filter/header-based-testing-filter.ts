import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `header-based-testing-filter`: keeps the endpoints that the request header `test-epp-endpoint-selection` names, addresses with or without
 * port, in their order there; none, where it names none that is a candidate. All, where the header is absent. For conformance tests.
 * As llm-d-router v0.10, `scheduling/filter/testfilter`. No parameters.
 */
export class HeaderBasedTestingFilter implements Filter {
  public static readonly TYPE = 'header-based-testing-filter';

  public static fromParameters(parameters: PluginParameters): HeaderBasedTestingFilter {
    parameters.done();
    return new HeaderBasedTestingFilter();
  }

  public filter(request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const header = request.header('test-epp-endpoint-selection');
    if (header === undefined || header === '') return count;
    let kept = 0;
    for (const name of header.split(',')) {
      const wanted = name.trim();
      for (let k = kept; k < count; k++) {
        const slot = candidates[k]!;
        const { address, hostPort } = snapshot.endpoints[slot]!;
        if (wanted !== address && wanted !== hostPort) continue;
        candidates[k] = candidates[kept]!;
        candidates[kept++] = slot;
      }
    }
    return kept;
  }
}
