import { refuse } from '../internal/errors';
import { checkedNumbers, checkedType, givenParameters, type PluginEntry, type PluginParameters } from './scoring-plugin';

/** When the endpoints with the request's prefix are the only ones considered. */
export interface PrefixCacheAffinityFilterOptions {
  /** Share of the prompt that must be cached, 0 to 1. @default 0.8 */
  readonly affinityThreshold?: number;
  /** Share of the requests that consider all endpoints all the same, 0 to 1. @default 0 */
  readonly explorationProbability?: number;
  /** How much later the first token may come for the sake of the cache, in milliseconds. @default 18000 */
  readonly maxTtftPenaltyMs?: number;
}

/** When an endpoint is too busy to be considered. */
export interface UtilizationFilterOptions {
  /** Waiting requests. @default 5 */
  readonly queueDepthThreshold?: number;
  /** Used KV cache, 0 to 1. @default 0.8 */
  readonly kvCacheUtilizationThreshold?: number;
  /** How far an endpoint may go beyond both thresholds, as a share of them. @default 0 */
  readonly headroomRatio?: number;
}

/** Takes endpoints out before the others are scored. Types, parameters and defaults are those of the llm-d endpoint picker 0.10. */
export class Filter {
  /** Keeps the endpoints that decode, in a pool whose pods have roles (`llm-d.ai/role`), and those without a role. */
  public static decode(): Filter {
    return new Filter('decode-filter', {});
  }

  /** Keeps the endpoints that prefill. */
  public static prefill(): Filter {
    return new Filter('prefill-filter', {});
  }

  /** Keeps the endpoints that encode. */
  public static encode(): Filter {
    return new Filter('encode-filter', {});
  }

  /**
   * Keeps the endpoints whose pods have all of these labels.
   * @throws AIG451 when there is none
   */
  public static podLabels(labels: { readonly [key: string]: string }): Filter {
    if (Object.keys(labels).length === 0) {
      refuse(undefined, {
        code: 'AIG451',
        what: 'Filter.podLabels got no label, which would keep every endpoint',
        allowed: 'one label or more',
        fix: 'name the labels, or leave the filter out',
      });
    }
    return new Filter('label-selector-filter', { matchLabels: { ...labels } });
  }

  /** Keeps the endpoints that hold most of the prompt in their cache, as long as they are not too slow. @throws AIG451 */
  public static prefixCacheAffinity(options: PrefixCacheAffinityFilterOptions = {}): Filter {
    const { affinityThreshold, explorationProbability, maxTtftPenaltyMs } = options;
    const parameters = checkedNumbers(
      'Filter.prefixCacheAffinity',
      { affinityThreshold, explorationProbability, maxTTFTPenaltyMs: maxTtftPenaltyMs },
      { affinityThreshold: { min: 0, max: 1 }, explorationProbability: { min: 0, max: 1 }, maxTTFTPenaltyMs: { min: 0 } },
    );
    return new Filter('prefix-cache-affinity-filter', parameters);
  }

  /** Keeps the endpoints below both thresholds, or all of them when none is. @throws AIG451 */
  public static utilization(options: UtilizationFilterOptions = {}): Filter {
    const { queueDepthThreshold, kvCacheUtilizationThreshold, headroomRatio } = options;
    const parameters = checkedNumbers(
      'Filter.utilization',
      { queueDepthThreshold, kvCacheUtilThreshold: kvCacheUtilizationThreshold, headroom: headroomRatio },
      {
        queueDepthThreshold: { min: 1, integer: true },
        kvCacheUtilThreshold: { min: 0, exclusiveMin: true, max: 1 },
        headroom: { min: 0 },
      },
    );
    return new Filter('utilization-detector', parameters);
  }

  /**
   * Any other filter, by the type that the picker registers it under.
   * @throws AIG450 when it cannot be a type
   */
  public static custom(type: string, parameters: PluginParameters = {}): Filter {
    return new Filter(checkedType('Filter.custom', type, 'filter'), parameters);
  }

  /** @internal */
  public readonly _entry: PluginEntry;

  private constructor(
    /** Type in the configuration. */
    public readonly type: string,
    parameters: PluginParameters,
  ) {
    this._entry = { type, parameters: givenParameters(parameters) };
  }
}
