import { inFlightAt } from '../../../flight-book';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter, Producer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import type { InflightLoadProducer } from '../../producer/inflight-load-producer/inflight-load-producer';

/**
 * `concurrency-detector` in a scheduling profile: removes endpoints with as many requests or tokens of this picker under way as they may
 * have, `capacity · (1 + headroom)`. Where none is left the request is refused.
 * As llm-d-router v0.10, `flowcontrol/saturationdetector/concurrency`. Parameters: `concurrencyMode` `requests`, `tokens` or `hybrid`,
 * `maxConcurrency` 100, `maxTokenConcurrency` 1000000, `headroom` 0, `inFlightLoadProducerName`.
 */
export class ConcurrencyDetector implements Filter {
  public static readonly TYPE = 'concurrency-detector';

  public constructor(
    private readonly load: InflightLoadProducer,
    /** Infinity where requests do not count. */
    private readonly maxRequests: number,
    /** Infinity where tokens do not count. */
    private readonly maxTokens: number,
  ) {}

  public static fromParameters(
    parameters: PluginParameters,
    context: { inflightProducer(name: string | undefined): InflightLoadProducer },
  ): ConcurrencyDetector {
    const mode = parameters.oneOf('concurrencyMode', ['requests', 'tokens', 'hybrid'], 'requests');
    const headroom = parameters.number('headroom', 0, { min: 0 });
    const maxRequests = parameters.integer('maxConcurrency', 100, { min: 1 }) * (1 + headroom);
    const maxTokens = parameters.integer('maxTokenConcurrency', 1_000_000, { min: 1 }) * (1 + headroom);
    const load = context.inflightProducer(parameters.text('inFlightLoadProducerName', undefined));
    parameters.done();
    return new ConcurrencyDetector(
      load,
      mode === 'tokens' ? Number.POSITIVE_INFINITY : maxRequests,
      mode === 'requests' ? Number.POSITIVE_INFINITY : maxTokens,
    );
  }

  public get producer(): Producer {
    return this.load;
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const { table } = snapshot;
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (inFlightAt(table, slot) < this.maxRequests && this.load.tokensAt(table, slot) < this.maxTokens)
        candidates[kept++] = slot;
    }
    return kept;
  }
}
