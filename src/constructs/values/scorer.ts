import {
  checkedNumbers,
  checkedType,
  givenParameters,
  type NumberRule,
  type PluginEntry,
  type PluginParameters,
} from './scoring-plugin';

/** What every scorer takes. */
export interface ScorerOptions {
  /** How much this score counts beside the others of the profile. More than 0. @default 1 */
  readonly weight?: number;
}

/** How reused prefixes are valued. */
export interface PrefixCacheScorerOptions extends ScorerOptions {
  /** Share of the score that comes from the length of the match and not from the matched part of the prompt, 0 to 1. @default 0 */
  readonly matchLengthWeight?: number;
  /** Length at which the first of the two is full, in tokens. @default 8192 */
  readonly matchLengthScaleTokens?: number;
}

/** When a queue counts as full. */
export interface LoadAwareScorerOptions extends ScorerOptions {
  /** Waiting requests at which the score is 0. @default 128 */
  readonly threshold?: number;
}

/** How requests that the picker itself sent and that are not finished count. */
export interface ActiveRequestScorerOptions extends ScorerOptions {
  /** Up to so many the score is 1. @default 0 */
  readonly idleThreshold?: number;
  /** Score of an endpoint with one request more than that, 0 to 1. @default 1 */
  readonly maxBusyScore?: number;
}

/** When an endpoint's outstanding tokens count as full. */
export interface TokenLoadScorerOptions extends ScorerOptions {
  /** Tokens at which the score is 0. @default 4194304 */
  readonly queueThresholdTokens?: number;
}

/** Which endpoints are meant for which length of prompt. */
export interface ContextLengthScorerOptions extends ScorerOptions {
  /** Pod label that holds the range, `min-max` in tokens. @default 'llm-d.ai/context-length-range' */
  readonly label?: string;
  /** True takes endpoints out whose range does not fit, false only scores them lower. @default false */
  readonly enableFiltering?: boolean;
}

/** How cold requests are spread. */
export interface NoHitLruScorerOptions extends ScorerOptions {
  /** Endpoints whose last cold request is remembered. @default 1024 */
  readonly lruSize?: number;
}

/** The constants of the picker's own formula: docs/picker/default-profile.md explains each. */
export interface ExpectedCostScorerOptions extends ScorerOptions {
  /** What a prompt token in line costs, as a multiple of computing it. @default 2 */
  readonly lineWeight?: number;
  /** What computing a token again costs that another endpoint has, for each request there. @default 4 */
  readonly stallWeight?: number;
  /** What it costs beside, whatever the load. @default 10 */
  readonly cacheWeight?: number;
  /** Prompts that come back sooner than this share of the time that a cache keeps them pay less of both, from above 0 to 1. @default 0.33 */
  readonly rareRatio?: number;
  /** Share that one return of a prompt has in how often it is taken to come back, 0 to 1. @default 0.2 */
  readonly demandGain?: number;
  /** What a token costs that pushes another out of a full cache. @default 16 */
  readonly roomWeight?: number;
  /** What the tokens of the answer cost the batch. @default 2 */
  readonly decodeWeight?: number;
  /** Share of the KV cache that may be filled before it costs, 0 to 1. @default 0.9 */
  readonly kvRoomRatio?: number;
  /** What waiting for room in the KV cache costs. @default 3 */
  readonly kvWeight?: number;
  /** An endpoint that joins a running pool is taken to be slower for so long, 0 for never. @default 5 */
  readonly warmUpSeconds?: number;
  /** How much slower, at first. @default 3 */
  readonly coldFactor?: number;
  /** Costs below are alike. @default 1 */
  readonly leastCostMs?: number;
}

const COST_WEIGHT: NumberRule = { min: 0, max: 1_000 };

/**
 * Values the endpoints of a pool between 0 and 1 for one request. The types, parameters and defaults are those of the llm-d
 * endpoint picker 0.10, so that a configuration works with it as well; what only this project's picker has says so.
 */
export class Scorer {
  /**
   * The formula of `Scoring.default()`, with other constants or beside other scorers. Only this project's picker has it. `Scoring.default()`
   * itself is `Scoring.of(Scorer.expectedCost()).withPicker(EndpointChooser.powerOfK())`.
   * @throws AIG451
   */
  public static expectedCost(options: ExpectedCostScorerOptions = {}): Scorer {
    const { weight, ...constants } = options;
    const parameters = checkedNumbers('Scorer.expectedCost', constants, {
      lineWeight: COST_WEIGHT,
      stallWeight: COST_WEIGHT,
      cacheWeight: COST_WEIGHT,
      rareRatio: { min: 0.001, max: 1 },
      demandGain: { min: 0, max: 1 },
      roomWeight: COST_WEIGHT,
      decodeWeight: COST_WEIGHT,
      kvRoomRatio: { min: 0, max: 1 },
      kvWeight: COST_WEIGHT,
      warmUpSeconds: { min: 0, max: 3_600 },
      coldFactor: { min: 1, max: 1_000 },
      leastCostMs: { min: 0.001, max: 60_000 },
    });
    return new Scorer('expected-cost-scorer', parameters, weight);
  }

  /** Few waiting requests are better: `(max - queue) / (max - min)` within the pool. */
  public static queue(options: ScorerOptions = {}): Scorer {
    return new Scorer('queue-scorer', {}, options.weight);
  }

  /** Few running requests are better, by the same formula. */
  public static runningRequests(options: ScorerOptions = {}): Scorer {
    return new Scorer('running-requests-size-scorer', {}, options.weight);
  }

  /** Free KV cache is better: `1 - utilisation`. */
  public static kvCacheUtilization(options: ScorerOptions = {}): Scorer {
    return new Scorer('kv-cache-utilization-scorer', {}, options.weight);
  }

  /** The longer the start of the prompt that the endpoint has seen before, the better. @throws AIG451 */
  public static prefixCache(options: PrefixCacheScorerOptions = {}): Scorer {
    const { matchLengthWeight, matchLengthScaleTokens } = options;
    const rules = { matchLengthWeight: { min: 0, max: 1 }, matchLengthScaleTokens: { min: 1, integer: true } };
    const parameters = checkedNumbers('Scorer.prefixCache', { matchLengthWeight, matchLengthScaleTokens }, rules);
    return new Scorer('prefix-cache-scorer', parameters, options.weight);
  }

  /** 0.5 for an empty queue, falling to 0 at the threshold. @throws AIG451 */
  public static loadAware(options: LoadAwareScorerOptions = {}): Scorer {
    const parameters = checkedNumbers(
      'Scorer.loadAware',
      { threshold: options.threshold },
      { threshold: { min: 1, integer: true } },
    );
    return new Scorer('load-aware-scorer', parameters, options.weight);
  }

  /** Endpoints that have the request's LoRA adapter loaded are better, then those with room for it. */
  public static loraAffinity(options: ScorerOptions = {}): Scorer {
    return new Scorer('lora-affinity-scorer', {}, options.weight);
  }

  /** Few unfinished requests of this picker are better; needs no metrics of the engine. @throws AIG451 */
  public static activeRequests(options: ActiveRequestScorerOptions = {}): Scorer {
    const { idleThreshold, maxBusyScore } = options;
    const rules = { idleThreshold: { min: 0, integer: true }, maxBusyScore: { min: 0, max: 1 } };
    return new Scorer(
      'active-request-scorer',
      checkedNumbers('Scorer.activeRequests', { idleThreshold, maxBusyScore }, rules),
      options.weight,
    );
  }

  /** Few outstanding tokens, without those that are cached, are better. @throws AIG451 */
  public static tokenLoad(options: TokenLoadScorerOptions = {}): Scorer {
    const { queueThresholdTokens } = options;
    const parameters = checkedNumbers(
      'Scorer.tokenLoad',
      { queueThresholdTokens },
      { queueThresholdTokens: { min: 1, integer: true } },
    );
    // llm-d 0.10 does not start without it: the producer that it adds for the scorer lacks one of the two keys that are read
    return new Scorer('token-load-scorer', parameters, options.weight, 'inflight-load-producer');
  }

  /** Endpoints whose label says that they are meant for prompts of this length are better. */
  public static contextLength(options: ContextLengthScorerOptions = {}): Scorer {
    return new Scorer('context-length-aware', { label: options.label, enableFiltering: options.enableFiltering }, options.weight);
  }

  /** Spreads requests that hit no cached prefix over the endpoints that had such a request longest ago. @throws AIG451 */
  public static noHitLru(options: NoHitLruScorerOptions = {}): Scorer {
    const parameters = checkedNumbers('Scorer.noHitLru', { lruSize: options.lruSize }, { lruSize: { min: 1, integer: true } });
    return new Scorer('no-hit-lru-scorer', parameters, options.weight);
  }

  /**
   * Any other scorer, by the type that the picker registers it under.
   *
   * @param parameters as the type takes them; they are checked when the picker's configuration is made
   * @param weight more than 0
   * @throws AIG450 when it cannot be a type
   */
  public static custom(type: string, parameters: PluginParameters = {}, weight?: number): Scorer {
    return new Scorer(checkedType('Scorer.custom', type, 'scorer'), parameters, weight);
  }

  /** @internal */
  public readonly _entry: PluginEntry;

  private constructor(
    /** Type in the configuration. */
    public readonly type: string,
    parameters: PluginParameters,
    weight = 1,
    producer?: string,
  ) {
    checkedNumbers(`the scorer '${type}'`, { weight }, { weight: { min: 0, exclusiveMin: true, max: 1_000_000 } });
    this._entry = { type, parameters: givenParameters(parameters), weight, producer };
  }
}
