import type { Clock } from '../../../../../shared/clock';
import { loadOf, prefillTokensAt, tokensInFlightAt } from '../../../flight-book';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import { promptTokens } from '../../../interface/prompt-tokens';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { LearnedSpeed } from '../../../learned-speed';
import type { PluginParameters } from '../../../plugin-parameters';
import type { ApproxPrefixCacheProducer } from '../../producer/approx-prefix-cache-producer/approx-prefix-cache-producer';

export interface ExpectedCostOptions {
  /** What a prompt token in line costs: 1 for the wait for the first token, more because steps are longer as long as there is a line. */
  readonly lineWeight: number;
  /** What computing again a token that another endpoint has costs, for each request at the endpoint that has to wait for it. */
  readonly stallWeight: number;
  /** What it costs beside: from then on two caches have to keep it. */
  readonly cacheWeight: number;
  /** Prompts that come back after this share of the time that a cache keeps them pay both in full, those that come sooner in proportion. */
  readonly rareRatio: number;
  /** Share that one return of a prompt has in how often it is taken to come back, 0 to 1; at 0 all prompts pay in full. */
  readonly demandGain: number;
  /** What a token costs that pushes another out of a full cache: the other may be asked for again. */
  readonly roomWeight: number;
  /** What an answer's tokens cost: 1 for slowing the others down, and 1 for being slowed down by them. */
  readonly decodeWeight: number;
  /** Share of the KV cache up to which a request is taken to find room at once, 0 to 1. */
  readonly kvRoomRatio: number;
  /** What waiting for room costs: more than the wait, because who runs out of room is preempted and computed again. */
  readonly kvWeight: number;
  /** An endpoint that joined a running pool is taken to be slower for so long, 0 for never. */
  readonly warmUpSeconds: number;
  /** How much slower it is taken to be when it joins. */
  readonly coldFactor: number;
  /** Costs below are alike: nobody notices. */
  readonly leastCostMs: number;
}

export const DEFAULT_EXPECTED_COST: ExpectedCostOptions = {
  lineWeight: 2,
  stallWeight: 4,
  cacheWeight: 10,
  rareRatio: 0.33,
  demandGain: 0.2,
  roomWeight: 16,
  decodeWeight: 2,
  kvRoomRatio: 0.9,
  kvWeight: 3,
  warmUpSeconds: 5,
  coldFactor: 3,
  leastCostMs: 1,
};

/** What the scorer needs of its surroundings. */
export interface ExpectedCostContext {
  prefixProducer(name: string | undefined): ApproxPrefixCacheProducer;
  readonly speed: LearnedSpeed;
  readonly clock: Clock;
}

/**
 * `expected-cost-scorer`: the endpoint where the request costs the pool the least time. Of all candidates' costs, `lowest / own`, where
 *
 *     cost = slowness · ( lineWeight · line · ms                          prompt tokens that are in line there
 *                       + uncached · ms                                   its own, without what is cached there
 *                       + avoidable · ms · rarity · (stallWeight · load + cacheWeight)
 *                                                                         those of them that another candidate has cached
 *                       + (uncached + refresh · cached) · ms · pressure · roomWeight
 *                                                                         what they push out of the cache
 *                       + decodeWeight · answer · step · load             its tokens slow the others down, and theirs its own
 *                       + queue · duration / running                      the wait for a place in the batch
 *                       + kvWeight · overflow · duration / kv )           the wait for room in the KV cache
 *
 * in milliseconds. Speeds and lengths are measured (`learned-speed.ts`), load is the report corrected by the picker's own requests. What is
 * cached, `refresh`, `pressure` and the demand by which `rarity = min(1, (1 - demand) / rareRatio)` are those of the prefix producer.
 * Derivation, sources and constants: docs/picker/default-profile.md. Parameters: those of `ExpectedCostOptions`, and
 * `prefixMatchInfoProducerName`.
 */
export class ExpectedCostScorer implements Scorer {
  public static readonly TYPE = 'expected-cost-scorer';
  /** It corrects reports by itself, and an old one is still better than a mean. */
  public readonly usesMetrics = false;
  private costs = new Float64Array(0);

  public constructor(
    private readonly matches: ApproxPrefixCacheProducer,
    private readonly speed: LearnedSpeed,
    private readonly clock: Clock,
    private readonly options: ExpectedCostOptions,
  ) {
    matches.index.demandGain = options.demandGain;
  }

  public static fromParameters(
    parameters: PluginParameters,
    { prefixProducer, speed, clock }: ExpectedCostContext,
  ): ExpectedCostScorer {
    const fallback = DEFAULT_EXPECTED_COST;
    const weight = (key: 'lineWeight' | 'stallWeight' | 'cacheWeight' | 'roomWeight' | 'decodeWeight' | 'kvWeight'): number =>
      parameters.number(key, fallback[key], { min: 0, max: 1_000 });
    const options = {
      lineWeight: weight('lineWeight'),
      stallWeight: weight('stallWeight'),
      cacheWeight: weight('cacheWeight'),
      // above 0: it divides
      rareRatio: parameters.number('rareRatio', fallback.rareRatio, { min: 0.001, max: 1 }),
      demandGain: parameters.number('demandGain', fallback.demandGain, { min: 0, max: 1 }),
      roomWeight: weight('roomWeight'),
      decodeWeight: weight('decodeWeight'),
      kvRoomRatio: parameters.number('kvRoomRatio', fallback.kvRoomRatio, { min: 0, max: 1 }),
      kvWeight: weight('kvWeight'),
      warmUpSeconds: parameters.number('warmUpSeconds', fallback.warmUpSeconds, { min: 0, max: 3_600 }),
      coldFactor: parameters.number('coldFactor', fallback.coldFactor, { min: 1, max: 1_000 }),
      // above 0: it keeps the ratio of two costs defined
      leastCostMs: parameters.number('leastCostMs', fallback.leastCostMs, { min: 0.001, max: 60_000 }),
    };
    const producer = prefixProducer(parameters.text('prefixMatchInfoProducerName', undefined));
    parameters.done();
    return new ExpectedCostScorer(producer, speed, clock, options);
  }

  public get producer(): Producer {
    return this.matches;
  }

  public score(
    request: SchedulingRequest,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    if (this.costs.length < count) this.costs = new Float64Array(table.capacity);
    const { costs, matches, speed, options } = this;
    const nowMs = this.clock.nowMs();
    const tokens = promptTokens(request);
    const answer = speed.outputTokens(request.targetModel, request.maxTokens, tokens);
    const { prefillMsPerToken, stepMsPerRequest, durationMs } = speed;
    let bestCached = 0;
    let demand = 0;
    let shortestLifetime = Number.POSITIVE_INFINITY;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (table.admittedAtMs[slot]! < earliestMs) earliestMs = table.admittedAtMs[slot]!;
      const lifetime = matches.lifetimeAt(slot);
      if (lifetime > 0 && lifetime < shortestLifetime) shortestLifetime = lifetime;
      const cached = Math.min(tokens, matches.cachedTokens(slot));
      if (cached < bestCached || cached === 0) continue;
      const here = matches.demandRatio[slot]!;
      if (cached > bestCached || here > demand) demand = here;
      bestCached = cached;
    }
    const rarity = Math.min(1, (1 - demand) / options.rareRatio);
    let lowest = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      const load = loadOf(table, slot);
      const cached = Math.min(tokens, matches.cachedTokens(slot));
      const uncached = tokens - cached;
      let cost = options.lineWeight * prefillTokensAt(table, slot) * prefillMsPerToken;
      cost += uncached * prefillMsPerToken;
      const pushedOut = (uncached + matches.refreshRatio[slot]! * cached) * matches.pressureAt(slot, shortestLifetime);
      cost += pushedOut * prefillMsPerToken * options.roomWeight;
      const avoidable = (bestCached - cached) * rarity;
      cost += avoidable * prefillMsPerToken * (options.stallWeight * load + options.cacheWeight);
      cost += options.decodeWeight * answer * stepMsPerRequest * load;
      const queued = table.queueSeen[slot]!;
      if (queued > 0)
        cost += ((queued + Math.max(0, table.sinceReport[slot]!) + 1) * durationMs) / Math.max(1, table.running[slot]!);
      const kvTokens = table.kvBlocks[slot]! * table.blockSizeTokens[slot]!;
      if (kvTokens > 0) {
        const reported = table.kvUsageRatio[slot]! * kvTokens;
        const overflow = Math.max(reported, tokensInFlightAt(table, slot)) + uncached + answer - options.kvRoomRatio * kvTokens;
        if (overflow > 0) cost += (options.kvWeight * (overflow * durationMs)) / kvTokens;
      }
      cost =
        (cost + options.leastCostMs) *
        speed.slownessAt(table, slot, nowMs) *
        this.coldness(table.admittedAtMs[slot]!, earliestMs, nowMs);
      // reports that make no sense, such as a cache of next to nothing, must not make the ratio of two costs undefined
      if (!(cost < Number.MAX_VALUE)) cost = Number.MAX_VALUE;
      costs[k] = cost;
      if (cost < lowest) lowest = cost;
    }
    for (let k = 0; k < count; k++) totals[k] = totals[k]! + weight * (lowest / costs[k]!);
  }

  /** @param earliestMs when the oldest candidate came: a pool that starts as a whole has nobody to go slow for */
  private coldness(admittedAtMs: number, earliestMs: number, nowMs: number): number {
    const warmUpMs = this.options.warmUpSeconds * 1e3;
    const left = 1 - (nowMs - admittedAtMs) / warmUpMs;
    return admittedAtMs === earliestMs || !(left > 0) ? 1 : 1 + (this.options.coldFactor - 1) * left;
  }
}
