import { hashBlocks, hashText } from '../../../../../shared/hash';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { CacheState, Producer } from '../../../interface/plugins';
import { BYTES_PER_TOKEN } from '../../../interface/prompt-tokens';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PrefixHits } from '../../../plugin-meters';
import type { PluginParameters } from '../../../plugin-parameters';
import { PrefixIndex } from './prefix-index';

/** Smaller blocks cost more to hash and to keep, and tell no more: llm-d has the same floor. */
const MIN_BLOCK_SIZE_TOKENS = 64;
/** Blocks of all endpoints together: 128 endpoints with half a million tokens of cache each, in 36 MB. */
const MAX_INDEX_ENTRIES = 1 << 20;
/** Where neither limit is set, what 16 MiB of body could hold. */
const UNLIMITED_TOKENS = (16 << 20) / BYTES_PER_TOKEN;

export interface ApproxPrefixCacheOptions {
  /** Take block size and capacity from what the engines report, where they do. @default true */
  readonly autoTune: boolean;
  /** At least 64 is used. @default 16 */
  readonly blockSizeTokens: number;
  /** 0 is no limit. @default 2048 */
  readonly maxPrefixBlocksToMatch: number;
  /** 0 is no limit. @default 131072 */
  readonly maxPrefixTokensToMatch: number;
  /** Blocks kept for an endpoint that does not report its cache's size. @default 31250 */
  readonly lruCapacityPerServer: number;
  /** Bound for all endpoints together. @default 1048576 */
  readonly maxIndexEntries: number;
}

export const DEFAULT_APPROX_PREFIX_CACHE: ApproxPrefixCacheOptions = {
  autoTune: true,
  blockSizeTokens: 16,
  maxPrefixBlocksToMatch: 2048,
  maxPrefixTokensToMatch: 131_072,
  lruCapacityPerServer: 31_250,
  maxIndexEntries: MAX_INDEX_ENTRIES,
};

/**
 * `approx-prefix-cache-producer`: guesses what each engine has in its prefix cache from the prompts that went there.
 *
 * The bytes of the prompt are cut into blocks of `blockSizeTokens × 4` bytes; block i's hash covers all bytes up to its end, the target
 * model and the cache salt. An endpoint's match is the longest run of leading blocks that it has seen and not forgotten (least recently
 * used first, as the engine does). Only whole blocks count. After llm-d-router v0.10, `dataproducer/approximateprefix`; unlike there
 * - the raw bytes of `messages` or `prompt` are hashed, not estimated tokens of the rendered text: no copy, no parse;
 * - both limits on the length apply, the smaller wins, so that `maxPrefixBlocksToMatch` has an effect by itself;
 * - capacity is the engine's cache in *tokens*, divided by this block size: llm-d counts the engine's smaller blocks as its own;
 * - of a prompt longer than the capacity the beginning is kept, not the end, which could never match.
 */
export class ApproxPrefixCacheProducer implements Producer {
  public static readonly TYPE = 'approx-prefix-cache-producer';
  public static readonly NOUN = 'prefix producer';

  /** Whole blocks of the request, up to the limit. */
  public totalBlocks = 0;
  /** Tokens in a block, for the request. */
  public blockSizeTokens = MIN_BLOCK_SIZE_TOKENS;
  /** By slot, valid for the request's candidates: leading blocks that the endpoint has seen. */
  public matchedBlocks = new Int32Array(0);
  /**
   * By slot, where something matched: what using it again takes from the rest of the cache, as a share of what a prompt that is new there
   * takes. Its age, 0 (just used) to 1 (next to go), times the share that other prompts have.
   */
  public refreshRatio = new Float64Array(0);
  /** By slot, where something matched: how often it comes back there, 0 (never did) towards 1 (at once, each time); see `index.demandGain`. */
  public demandRatio = new Float64Array(0);

  /** Counts what was found. */
  public hits: PrefixHits | undefined;
  /** Called with every prompt that went somewhere: its block hashes, two words each, which are overwritten by the next one. */
  public onRecorded: ((slot: number, hashes: Int32Array, blocks: number) => void) | undefined;

  public readonly index: PrefixIndex;
  private readonly words: Int32Array;
  private readonly bytes: Buffer;
  private readonly hashes: Int32Array;
  private readonly seed = { low: 0, high: 0 };
  /** By slot: the generation that the index knows blocks of. */
  private generations = new Int32Array(0);
  /** By slot: the restarts that it knows of. */
  private restarts = new Int32Array(0);
  /** By slot: how full the cache is with what was sent there, 0 to 1. */
  private fillRatio = new Float64Array(0);
  private version = -1;
  private restartsInAll = 0;

  public constructor(private readonly options: ApproxPrefixCacheOptions) {
    const maxTokens = Math.min(
      options.maxPrefixTokensToMatch === 0 ? UNLIMITED_TOKENS : options.maxPrefixTokensToMatch,
      options.maxPrefixBlocksToMatch === 0
        ? UNLIMITED_TOKENS
        : options.maxPrefixBlocksToMatch * this.blockSizeFor(options.blockSizeTokens),
    );
    this.words = new Int32Array(maxTokens);
    this.bytes = Buffer.from(this.words.buffer);
    this.hashes = new Int32Array(2 * Math.ceil(maxTokens / MIN_BLOCK_SIZE_TOKENS));
    this.index = new PrefixIndex(options.maxIndexEntries);
  }

  public static standard(): ApproxPrefixCacheProducer {
    return new ApproxPrefixCacheProducer(DEFAULT_APPROX_PREFIX_CACHE);
  }

  public static fromParameters(parameters: PluginParameters): ApproxPrefixCacheProducer {
    const fallback = DEFAULT_APPROX_PREFIX_CACHE;
    const options = {
      autoTune: parameters.boolean('autoTune', fallback.autoTune),
      blockSizeTokens: parameters.integer('blockSizeTokens', fallback.blockSizeTokens, { min: 1, max: 65_536 }),
      maxPrefixBlocksToMatch: parameters.integer('maxPrefixBlocksToMatch', fallback.maxPrefixBlocksToMatch, {
        min: 0,
        max: 1 << 20,
      }),
      maxPrefixTokensToMatch: parameters.integer('maxPrefixTokensToMatch', fallback.maxPrefixTokensToMatch, {
        min: 0,
        max: UNLIMITED_TOKENS,
      }),
      lruCapacityPerServer: parameters.integer('lruCapacityPerServer', fallback.lruCapacityPerServer, {
        min: 1,
        max: MAX_INDEX_ENTRIES,
      }),
      maxIndexEntries: fallback.maxIndexEntries,
    };
    parameters.done();
    return new ApproxPrefixCacheProducer(options);
  }

  public prepare(request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): void {
    this.follow(snapshot);
    this.blockSizeTokens = this.options.autoTune
      ? this.reportedBlockSize(snapshot, candidates, count)
      : this.blockSizeFor(this.options.blockSizeTokens);
    this.totalBlocks = this.hash(request);
    let hint = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      // endpoints often share a prompt's beginning and differ in the rest, so the last length found is a good guess
      const matched = this.index.match(this.hashes, this.totalBlocks, slot, hint);
      this.matchedBlocks[slot] = matched;
      if (matched === 0) continue;
      hint = matched;
      this.refreshRatio[slot] = this.index.ageRatio(this.lifetimeAt(slot)) * (1 - matched / this.index.countOf(slot));
      this.demandRatio[slot] = this.index.demandRatio();
    }
  }

  public picked(snapshot: EndpointSnapshot, slot: number): void {
    if (this.hits !== undefined && this.totalBlocks > 0) {
      const matched = this.matchedBlocks[slot]!;
      this.hits.ratio.observe(matched / this.totalBlocks);
      this.hits.bytes.observe(matched * this.blockSizeTokens * BYTES_PER_TOKEN);
    }
    if (this.totalBlocks === 0) return;
    this.record(snapshot, slot, this.hashes, this.totalBlocks);
    this.onRecorded?.(slot, this.hashes, this.totalBlocks);
  }

  /** Takes over that another replica has sent a prompt to an endpoint. */
  public learn(snapshot: EndpointSnapshot, slot: number, hashes: Int32Array, blocks: number): void {
    this.follow(snapshot);
    this.record(snapshot, slot, hashes, blocks);
  }

  public cachedTokens(slot: number): number {
    return this.totalBlocks === 0 ? 0 : this.matchedBlocks[slot]! * this.blockSizeTokens;
  }

  public cacheState(slot: number): CacheState {
    const isKnown = this.cachedTokens(slot) > 0;
    return {
      fillRatio: this.fillRatio[slot]!,
      lifetime: this.lifetimeAt(slot),
      refreshRatio: isKnown ? this.refreshRatio[slot]! : 0,
      demandRatio: isKnown ? this.demandRatio[slot]! : 0,
    };
  }

  /**
   * How long stays there what nobody asks for, in prompts sent anywhere; for a cache that is not full, how long it would at this pace. 0 where
   * nothing was sent.
   */
  public lifetimeAt(slot: number): number {
    const fill = this.fillRatio[slot]!;
    return fill === 0 ? 0 : this.index.lifetimeOf(slot) / fill;
  }

  /**
   * How likely a token that is new there pushes out one that is still wanted, 0 to 1: in a full cache, the less the longer ago what goes next
   * was used.
   * @param shortestLifetime of all candidates
   */
  public pressureAt(slot: number, shortestLifetime: number): number {
    const lifetime = this.lifetimeAt(slot);
    return lifetime === 0 ? 0 : (this.fillRatio[slot]! * shortestLifetime) / lifetime;
  }

  private record(snapshot: EndpointSnapshot, slot: number, hashes: Int32Array, blocks: number): void {
    const capacity = this.capacityOf(snapshot, slot);
    this.index.record(hashes, blocks, slot, capacity);
    this.fillRatio[slot] = this.index.countOf(slot) / capacity;
  }

  private hash({ body, promptStart, promptEnd, targetModel, cacheSalt }: SchedulingRequest): number {
    if (body === undefined || promptStart < 0 || promptEnd <= promptStart) return 0;
    const blockBytes = this.blockSizeTokens * BYTES_PER_TOKEN;
    const blocks = Math.floor(Math.min(promptEnd - promptStart, this.bytes.length) / blockBytes);
    if (blocks === 0) return 0;
    this.seed.low = 0;
    this.seed.high = 0;
    hashText(targetModel, this.seed);
    if (cacheSalt !== undefined) hashText(cacheSalt, this.seed);
    // one token is one word, so hashing reads words;
    // copied because a request's bytes start anywhere and words must be aligned; a copy runs at memory speed
    body.copy(this.bytes, 0, promptStart, promptStart + blocks * blockBytes);
    hashBlocks(this.words, blocks, this.blockSizeTokens, this.seed, this.hashes);
    return blocks;
  }

  /** The largest block size that a candidate reports: a coarser block never claims a hit that a finer one would miss. */
  private reportedBlockSize({ table }: EndpointSnapshot, candidates: Int32Array, count: number): number {
    let largest = 0;
    for (let k = 0; k < count; k++) {
      const reported = table.blockSizeTokens[candidates[k]!]!;
      if (reported > largest) largest = reported;
    }
    return this.blockSizeFor(largest > 0 ? largest : this.options.blockSizeTokens);
  }

  private blockSizeFor(wanted: number): number {
    return Math.max(MIN_BLOCK_SIZE_TOKENS, Math.trunc(wanted));
  }

  private capacityOf({ table }: EndpointSnapshot, slot: number): number {
    const engineTokens = table.kvBlocks[slot]! * table.blockSizeTokens[slot]!;
    if (!this.options.autoTune || engineTokens === 0) return this.options.lruCapacityPerServer;
    return Math.max(1, Math.floor(engineTokens / this.blockSizeTokens));
  }

  /** Forgets endpoints that have left their slot, and what engines had cached that have started again. */
  private follow({ table, version }: EndpointSnapshot): void {
    const restartsInAll = table.restartsInAll[0]!;
    if (version === this.version && restartsInAll === this.restartsInAll) return;
    this.version = version;
    this.restartsInAll = restartsInAll;
    if (this.generations.length < table.capacity) this.grow(table.capacity);
    for (let slot = 0; slot < table.capacity; slot++) {
      if (table.generation[slot] === this.generations[slot] && table.restarts[slot] === this.restarts[slot]) continue;
      this.generations[slot] = table.generation[slot]!;
      this.restarts[slot] = table.restarts[slot]!;
      this.index.forget(slot);
      this.fillRatio[slot] = 0;
    }
  }

  private grow(capacity: number): void {
    const grown = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(capacity);
      copy.set(column);
      return copy;
    };
    const fillRatio = new Float64Array(capacity);
    fillRatio.set(this.fillRatio);
    this.fillRatio = fillRatio;
    this.generations = grown(this.generations);
    this.restarts = grown(this.restarts);
    this.matchedBlocks = new Int32Array(capacity);
    this.refreshRatio = new Float64Array(capacity);
    this.demandRatio = new Float64Array(capacity);
  }
}
