import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import { promptTokens } from '../../../interface/prompt-tokens';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import type { InflightLoadProducer } from '../../producer/inflight-load-producer/inflight-load-producer';

/**
 * `token-load-scorer`: prefers endpoints with few tokens to work through, those under way plus what the request would add:
 * `1 − min(tokens + uncached, threshold) / threshold`.
 * Formula: llm-d-router v0.10, `scheduling/scorer/tokenload`. Parameters: `queueThresholdTokens` 4194304, `inFlightLoadProducerName`.
 */
export class TokenLoadScorer implements Scorer {
  public static readonly TYPE = 'token-load-scorer';
  public readonly usesMetrics = false;

  public constructor(
    private readonly load: InflightLoadProducer,
    private readonly threshold: number,
  ) {}

  public static fromParameters(
    parameters: PluginParameters,
    context: { inflightProducer(name: string | undefined): InflightLoadProducer },
  ): TokenLoadScorer {
    const threshold = parameters.integer('queueThresholdTokens', 4_194_304, { min: 1 });
    const load = context.inflightProducer(parameters.text('inFlightLoadProducerName', undefined));
    parameters.done();
    return new TokenLoadScorer(load, threshold);
  }

  public get producer(): Producer {
    return this.load;
  }

  public score(
    request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { load, threshold } = this;
    const tokens = promptTokens(request);
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      const uncached = Math.max(0, tokens - load.cachedAt(slot));
      const ahead = Math.min(threshold, load.tokensAt(snapshot.table, slot) + uncached);
      totals[k] = totals[k]! + weight * (1 - ahead / threshold);
    }
  }
}
