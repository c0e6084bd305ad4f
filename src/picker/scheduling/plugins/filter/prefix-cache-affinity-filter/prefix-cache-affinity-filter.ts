import type { RandomSource } from '../../../../../shared/random';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter, Producer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import type { ApproxPrefixCacheProducer } from '../../producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import type { InflightLoadProducer } from '../../producer/inflight-load-producer/inflight-load-producer';

export interface PrefixCacheAffinityOptions {
  readonly affinityThreshold: number;
  readonly explorationProbability: number;
  readonly maxTtftPenaltyMs: number;
  readonly peakPrefillTokensPerSecond: number;
}

interface Context {
  readonly random: RandomSource;
  prefixProducer(name: string | undefined): ApproxPrefixCacheProducer;
  inflightProducer(name: string | undefined): InflightLoadProducer;
}

/**
 * `prefix-cache-affinity-filter`: keeps the endpoints that have at least `affinityThreshold` of the prompt cached, where there are any, unless
 * the least loaded of them would answer more than `maxTTFTPenaltyMs` later than the least loaded of the others (0: however late). The time is
 * `tokens in flight / peakPrefillThroughput`. With `explorationProbability` all stay.
 * As llm-d-router v0.10, `scheduling/filter/prefixcacheaffinity`. Parameters: `affinityThreshold` 0.8, `explorationProbability` 0,
 * `maxTTFTPenaltyMs` 18000, `ttftSource` `prefillThroughput` (its latency predictor is refused), `peakPrefillThroughput` 15928 tokens a second,
 * `prefixMatchInfoProducerName`, `inFlightLoadProducerName`.
 */
export class PrefixCacheAffinityFilter implements Filter {
  public static readonly TYPE = 'prefix-cache-affinity-filter';

  public constructor(
    private readonly load: InflightLoadProducer,
    private readonly matches: ApproxPrefixCacheProducer,
    private readonly options: PrefixCacheAffinityOptions,
    private readonly random: RandomSource,
  ) {}

  public static fromParameters(parameters: PluginParameters, context: Context): PrefixCacheAffinityFilter {
    const options = {
      affinityThreshold: parameters.number('affinityThreshold', 0.8, { min: 0, max: 1 }),
      explorationProbability: parameters.number('explorationProbability', 0, { min: 0, max: 1 }),
      maxTtftPenaltyMs: parameters.number('maxTTFTPenaltyMs', 18_000, { min: 0 }),
      peakPrefillTokensPerSecond: parameters.number('peakPrefillThroughput', 15_928, { min: 1 }),
    };
    parameters.oneOf('ttftSource', ['prefillThroughput'], 'prefillThroughput');
    const matches = context.prefixProducer(parameters.text('prefixMatchInfoProducerName', undefined));
    const load = context.inflightProducer(parameters.text('inFlightLoadProducerName', undefined));
    parameters.done();
    return new PrefixCacheAffinityFilter(load, matches, options, context.random);
  }

  public get producer(): Producer {
    return this.matches;
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const { matches, load, options, random } = this;
    const { affinityThreshold, explorationProbability, maxTtftPenaltyMs, peakPrefillTokensPerSecond } = options;
    if (matches.totalBlocks === 0 || (explorationProbability > 0 && random.next() < explorationProbability)) return count;
    const enough = affinityThreshold * matches.totalBlocks;
    let sticky = 0;
    let leastSticky = Number.POSITIVE_INFINITY;
    let leastOther = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      const tokens = load.tokensAt(snapshot.table, slot);
      if (matches.matchedBlocks[slot]! >= enough) {
        sticky++;
        leastSticky = Math.min(leastSticky, tokens);
      } else leastOther = Math.min(leastOther, tokens);
    }
    if (sticky === 0 || sticky === count) return count;
    const penaltyMs = ((leastSticky - leastOther) / peakPrefillTokensPerSecond) * 1e3;
    if (maxTtftPenaltyMs > 0 && penaltyMs > maxTtftPenaltyMs) return count;
    let kept = 0;
    for (let k = 0; k < count; k++) if (matches.matchedBlocks[candidates[k]!]! >= enough) candidates[kept++] = candidates[k]!;
    return kept;
  }
}
