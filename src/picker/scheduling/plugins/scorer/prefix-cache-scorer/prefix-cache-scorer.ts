import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import type { ApproxPrefixCacheProducer } from '../../producer/approx-prefix-cache-producer/approx-prefix-cache-producer';

export interface PrefixCacheScorerOptions {
  /** Weight w of the match's absolute length, 0 to 1. @default 0 */
  readonly matchLengthWeight: number;
  /** Length in tokens from which on the absolute part is 1. @default 8192 */
  readonly matchLengthScaleTokens: number;
}

/**
 * `prefix-cache-scorer`: prefers endpoints that have the beginning of the prompt in their cache:
 * `w · min(1, matchedTokens / scale)² + (1 − w) · matchedBlocks / totalBlocks`; 0 for a prompt shorter than a block.
 * Formula: llm-d-router v0.10, `scheduling/scorer/prefix`. Parameters: `matchLengthWeight`, `matchLengthScaleTokens`,
 * `prefixMatchInfoProducerName` (an `approx-prefix-cache-producer`; one with default parameters is made where the file has none).
 */
export class PrefixCacheScorer implements Scorer {
  public static readonly TYPE = 'prefix-cache-scorer';
  public readonly usesMetrics = false;

  public constructor(
    private readonly matches: ApproxPrefixCacheProducer,
    private readonly options: PrefixCacheScorerOptions,
  ) {}

  public static fromParameters(
    parameters: PluginParameters,
    context: { prefixProducer(name: string | undefined): ApproxPrefixCacheProducer },
  ): PrefixCacheScorer {
    const options = {
      matchLengthWeight: parameters.number('matchLengthWeight', 0, { min: 0, max: 1 }),
      matchLengthScaleTokens: parameters.integer('matchLengthScaleTokens', 8192, { min: 1 }),
    };
    const producer = context.prefixProducer(parameters.text('prefixMatchInfoProducerName', undefined));
    parameters.done();
    return new PrefixCacheScorer(producer, options);
  }

  public get producer(): Producer {
    return this.matches;
  }

  public score(
    _request: SchedulingRequest,
    _snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const { totalBlocks, blockSizeTokens, matchedBlocks } = this.matches;
    if (totalBlocks === 0) return;
    const { matchLengthWeight, matchLengthScaleTokens } = this.options;
    for (let k = 0; k < count; k++) {
      const matched = matchedBlocks[candidates[k]!]!;
      const length = Math.min(1, (matched * blockSizeTokens) / matchLengthScaleTokens);
      const score = matchLengthWeight * length * length + (1 - matchLengthWeight) * (matched / totalBlocks);
      totals[k] = totals[k]! + weight * score;
    }
  }
}
