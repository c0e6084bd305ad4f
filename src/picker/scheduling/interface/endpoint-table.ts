import { hashText } from '../../../shared/hash';

/** Adapters that one endpoint can report: running ones first, then waiting ones; further ones are not seen. */
export const MAX_ADAPTERS = 64;

const FLOAT_COLUMNS = 27;
const INT_COLUMNS = 11;

/**
 * What is known of every endpoint, one column per fact, one slot per endpoint, in memory that threads can share. The scraper is the only
 * writer of its columns and the main thread of the others; aligned 8-byte elements do not tear. The adapter columns may be read while they
 * are written: one decision then sees a mix of two reports, which costs at most one misplaced request.
 */
export class EndpointTable {
  public readonly buffer: SharedArrayBuffer;

  /** Requests in the engine's queue. Scraper. */
  public readonly waiting: Float64Array;
  /** Requests that the engine works on. Scraper. */
  public readonly running: Float64Array;
  /** Share of the KV cache in use, 0 to 1. Scraper. */
  public readonly kvUsageRatio: Float64Array;
  /** Tokens in a block of the engine's KV cache; 0 while unknown. Scraper. */
  public readonly blockSizeTokens: Float64Array;
  /** Blocks of the engine's KV cache; 0 while unknown. Scraper. */
  public readonly kvBlocks: Float64Array;
  /** How busy the busiest of its GPUs is, 0 to 1; see `gpuUpdatedAtMs`. Scraper. */
  public readonly gpuUsageRatio: Float64Array;
  /** When that was last reported, by the monotonic clock; 0 while it is unknown. Scraper. */
  public readonly gpuUpdatedAtMs: Float64Array;
  /** When the engine last reported, by the monotonic clock; 0 means never. Scraper. */
  public readonly updatedAtMs: Float64Array;
  /** Interval at which the endpoint is scraped at present. Scraper. */
  public readonly scrapeIntervalMs: Float64Array;
  /** How far the scraped columns can be believed, 1 (fresh) to 0 (never reported); see `trust.ts`. Main thread. */
  public readonly trustRatio: Float64Array;

  // what the picker itself sees of the endpoint, all written by the main thread
  /** Prompt tokens that the endpoint probably has to compute for requests in flight: estimates, without what it has cached. */
  public readonly promptTokensInFlight: Float64Array;
  /** The part of them whose answers have not begun. */
  public readonly prefillTokens: Float64Array;
  /** Tokens that answers in flight will probably have. */
  public readonly outputTokensInFlight: Float64Array;
  // the same of other replicas of this picker, as they last told; 0 without any
  /** Requests of other replicas that are under way there. */
  public readonly peerInFlight: Float64Array;
  /** Their `promptTokensInFlight`. */
  public readonly peerPromptTokens: Float64Array;
  /** Their `prefillTokens`. */
  public readonly peerPrefillTokens: Float64Array;
  /** Their `outputTokensInFlight`. */
  public readonly peerOutputTokens: Float64Array;

  /** `updatedAtMs` of the report that `sinceReport` counts from. */
  public readonly reportSeenAtMs: Float64Array;
  /** Requests that waited in the report before the last. */
  public readonly waitingBefore: Float64Array;
  /** Requests that waited in both of the last two reports: no newcomers that are about to be taken, but a queue. */
  public readonly queueSeen: Float64Array;
  /** Measured time to the first token, as a multiple of what the pool's others would need; 0 while unknown. See `learned-speed.ts`. */
  public readonly slownessRatio: Float64Array;
  /** When that was measured last. */
  public readonly measuredAtMs: Float64Array;
  /** Measured milliseconds between output tokens; 0 while unknown. */
  public readonly decodeMsPerToken: Float64Array;
  /** When the endpoint became a candidate, by the monotonic clock; 0 before. */
  public readonly admittedAtMs: Float64Array;
  /** Requests that the endpoint worked on at once when it last had a queue, or more if it was seen with more since. */
  public readonly atOnce: Float64Array;
  /** When it last had a queue; 0 for never. */
  public readonly fullAtMs: Float64Array;
  /** No request goes there before that, unless it must; see `circuit-breaker.ts`. */
  public readonly ejectedUntilMs: Float64Array;

  /** Distinguishes successive endpoints in one slot. Main thread. */
  public readonly generation: Int32Array;
  /** Requests sent there and not settled. Main thread. */
  public readonly inFlight: Int32Array;
  /** Requests sent there less those settled since the last report. Main thread. */
  public readonly sinceReport: Int32Array;
  /** Requests in a row that failed there. Main thread. */
  public readonly failuresInRow: Int32Array;
  /** Times in a row that the endpoint was ejected; above 0 it must still prove itself. Main thread. */
  public readonly ejections: Int32Array;
  /** Scrapes that failed in a row; 0 after a good one. Scraper. */
  public readonly scrapeFailures: Int32Array;
  /** Scrapes that succeeded; wraps at 2^31. Scraper. */
  public readonly scrapes: Int32Array;
  /** Times that nothing listened at its port any more: whoever does since has an empty cache. Scraper. */
  public readonly restarts: Int32Array;
  /** Adapters that fit at once; 0 where the engine serves none. Scraper. */
  public readonly maxAdapters: Int32Array;
  /** Adapters in use, the first in `adapters`. Scraper. */
  public readonly runningAdapters: Int32Array;
  /** Adapters with requests in the queue, after the running ones in `adapters`. Scraper. */
  public readonly waitingAdapters: Int32Array;
  /** One number, which grows with every report of any endpoint; see `report-signal.ts`. Scraper. */
  public readonly reports: Int32Array;
  /** One number, which grows with `restarts` of any endpoint. Scraper. */
  public readonly restartsInAll: Int32Array;
  /** Names as pairs of hash lanes (`adapterHash`), MAX_ADAPTERS pairs a slot. Scraper. */
  public readonly adapters: Int32Array;

  /**
   * @param capacity number of slots; fixed, because a view cannot grow under a reader
   * @param buffer memory of a table of the same capacity in another thread
   */
  public constructor(
    public readonly capacity: number,
    buffer?: SharedArrayBuffer,
  ) {
    this.buffer = buffer ?? new SharedArrayBuffer(bytesFor(capacity));
    let offset = 0;
    const floats = (): Float64Array => {
      const column = new Float64Array(this.buffer, offset, capacity);
      offset += column.byteLength;
      return column;
    };
    const ints = (length = capacity): Int32Array => {
      const column = new Int32Array(this.buffer, offset, length);
      offset += column.byteLength;
      return column;
    };
    this.waiting = floats();
    this.running = floats();
    this.kvUsageRatio = floats();
    this.blockSizeTokens = floats();
    this.kvBlocks = floats();
    this.gpuUsageRatio = floats();
    this.gpuUpdatedAtMs = floats();
    this.updatedAtMs = floats();
    this.scrapeIntervalMs = floats();
    this.trustRatio = floats();
    this.promptTokensInFlight = floats();
    this.prefillTokens = floats();
    this.outputTokensInFlight = floats();
    this.peerInFlight = floats();
    this.peerPromptTokens = floats();
    this.peerPrefillTokens = floats();
    this.peerOutputTokens = floats();
    this.reportSeenAtMs = floats();
    this.waitingBefore = floats();
    this.queueSeen = floats();
    this.slownessRatio = floats();
    this.measuredAtMs = floats();
    this.decodeMsPerToken = floats();
    this.admittedAtMs = floats();
    this.atOnce = floats();
    this.fullAtMs = floats();
    this.ejectedUntilMs = floats();
    this.generation = ints();
    this.inFlight = ints();
    this.sinceReport = ints();
    this.failuresInRow = ints();
    this.ejections = ints();
    this.scrapeFailures = ints();
    this.scrapes = ints();
    this.restarts = ints();
    this.maxAdapters = ints();
    this.runningAdapters = ints();
    this.waitingAdapters = ints();
    this.adapters = ints(capacity * MAX_ADAPTERS * 2);
    this.reports = ints(1);
    this.restartsInAll = ints(1);
  }

  /** Forgets the slot's endpoint and begins the next generation. */
  public reset(slot: number): void {
    // the scraper compares generations before it writes, so the change must be visible first
    Atomics.add(this.generation, slot, 1);
    for (const column of this.resettable()) column[slot] = 0;
  }

  /** Takes over all slots of a smaller table. */
  public copyFrom(other: EndpointTable): void {
    const columns = (table: EndpointTable): (Float64Array | Int32Array)[] => [
      ...table.resettable(),
      table.generation,
      table.adapters,
    ];
    const from = columns(other);
    columns(this).forEach((column, i) => {
      column.set(from[i]!);
    });
  }

  private resettable(): (Float64Array | Int32Array)[] {
    return [
      ...[this.waiting, this.running, this.kvUsageRatio, this.blockSizeTokens, this.kvBlocks],
      ...[this.gpuUsageRatio, this.gpuUpdatedAtMs],
      ...[this.updatedAtMs, this.scrapeIntervalMs, this.trustRatio],
      ...[this.promptTokensInFlight, this.prefillTokens, this.outputTokensInFlight, this.reportSeenAtMs],
      ...[this.peerInFlight, this.peerPromptTokens, this.peerPrefillTokens, this.peerOutputTokens],
      ...[
        this.waitingBefore,
        this.queueSeen,
        this.slownessRatio,
        this.measuredAtMs,
        this.decodeMsPerToken,
        this.admittedAtMs,
        this.atOnce,
        this.fullAtMs,
        this.ejectedUntilMs,
      ],
      ...[this.inFlight, this.sinceReport, this.failuresInRow, this.ejections],
      ...[this.scrapeFailures, this.scrapes, this.restarts, this.maxAdapters, this.runningAdapters, this.waitingAdapters],
    ];
  }

  /** Writes the adapters that an endpoint reports. */
  public setAdapters(slot: number, max: number, running: readonly string[], waiting: readonly string[]): void {
    const first = Math.min(running.length, MAX_ADAPTERS);
    const second = Math.min(waiting.length, MAX_ADAPTERS - first);
    let at = slot * MAX_ADAPTERS * 2;
    for (let i = 0; i < first + second; i++) {
      adapterHash(i < first ? running[i]! : waiting[i - first]!, hash);
      this.adapters[at++] = hash.low;
      this.adapters[at++] = hash.high;
    }
    this.maxAdapters[slot] = max;
    this.runningAdapters[slot] = first;
    this.waitingAdapters[slot] = second;
  }
}

const hash = { low: 0, high: 0 };

/** Hash under which an adapter's name stands in the table. */
export function adapterHash(name: string, into: { low: number; high: number }): void {
  into.low = 0;
  into.high = 0;
  hashText(name, into);
}

function bytesFor(capacity: number): number {
  return capacity * (FLOAT_COLUMNS * 8 + INT_COLUMNS * 4 + MAX_ADAPTERS * 2 * 4) + 8;
}
