import { type HeapEntry, IndexedHeap } from './indexed-heap';
import type { Refusal } from './outcome';
import type { QueueSeries, SeriesHolder } from './queue-metrics';
import type { Evicts, Ordering } from './settings';

/** A request that waits. */
export interface Waiting<T> {
  readonly kind: 'waiting';
  /** What the host knows it by. */
  readonly ticket: T;
  readonly priority: number;
  readonly fairnessId: string;
  readonly bytes: number;
  readonly enqueuedMs: number;
  readonly deadlineMs: number;
  /** Wanted time to the first token, in milliseconds; -1 for none. */
  readonly sloMs: number;
  /** Number of its arrival. */
  readonly arrival: number;
  /** Place among the requests of its flow. */
  readonly order: HeapEntry<Waiting<T>>;
}

/** What a served request used. */
export interface FlowUsage {
  /** Tokens are -1 where unknown. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly deltas?: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** A request under way that may be ended for one that matters more. */
export interface Evictable {
  /** Place among those of its band. */
  readonly place: HeapEntry<Evictable>;
  readonly beganMs: number;
  /** Number of its beginning. */
  readonly order: number;
  /** Ends it, and tells its client so. False when it is too late for that. */
  evict(refusal: Refusal): boolean;
}

/** Told when a request of the flow is over. */
export interface FlowOwner<T> {
  finished(flow: Flow<T>, usage: FlowUsage | undefined): void;
  /** The engine's count of tokens decides whose turn it is. */
  readonly countsTokens: boolean;
  readonly evicts: Evicts;
  /** Those under way that may be ended, the newest first: least is lost with it. */
  readonly evictable: IndexedHeap<Evictable>;
}

/**
 * The requests of one tenant, in one band, for one pool. It is the leave of all its running requests at once, so that a request which need
 * not wait costs no object.
 */
export class Flow<T> implements SeriesHolder {
  public readonly kind = 'grant';
  public readonly removeHeaders = undefined;
  public readonly answerHeaders = undefined;
  public readonly queue: IndexedHeap<Waiting<T>>;
  public series: QueueSeries | undefined;
  public readonly foundBy = { fairnessId: '', model: '', targetModel: '' };
  /** Place among the flows of its band. */
  public readonly turn: HeapEntry<Flow<T>> = { value: this, at: -1 };
  public running = 0;
  /** Weighted tokens that its requests have used. */
  public service = 0;
  /** Mean of its requests; -1 before one was seen. */
  public meanService = -1;
  /** Its service, and what its running requests will probably use: who has least is served next. */
  public rank = 0;
  public idleSinceMs = 0;
  /** Arrival of the request that made it wait. */
  public since = 0;

  public constructor(
    public readonly key: string,
    ordering: Ordering,
    private readonly owner: FlowOwner<T>,
  ) {
    this.queue = new IndexedHeap(BEFORE[ordering]);
  }

  public get wantsUsage(): boolean {
    return this.owner.countsTokens && this.key !== '';
  }

  /** Which of its running requests may be ended. */
  public get evicts(): Evicts {
    return this.owner.evicts;
  }

  public get evictable(): IndexedHeap<Evictable> {
    return this.owner.evictable;
  }

  public settle(usage: FlowUsage): void {
    this.owner.finished(this, usage);
  }

  /** The request was not sent anywhere. */
  public release(): void {
    this.owner.finished(this, undefined);
  }
}

type Before = <T>(a: Waiting<T>, b: Waiting<T>) => boolean;

const byKey =
  (key: (waiting: Waiting<unknown>) => number): Before =>
  (a, b) => {
    const difference = key(a) - key(b);
    return difference < 0 || (!(difference > 0) && a.arrival < b.arrival);
  };

const BEFORE: Readonly<Record<Ordering, Before>> = {
  arrival: (a, b) => a.arrival < b.arrival,
  deadline: byKey(({ deadlineMs }) => deadlineMs),
  // who wants nothing is served behind those who do, as in llm-d
  slo: byKey(({ enqueuedMs, sloMs }) => (sloMs < 0 ? Number.POSITIVE_INFINITY : enqueuedMs + sloMs)),
};

/** An output token costs an engine about twice what an input token does (VTC, arXiv 2401.00588). */
const OUTPUT_WEIGHT = 2;
/** Where the engine does not say: bytes of text that are about a token. */
const BYTES_PER_TOKEN = 4;

/** Tokens that a request made an engine work on, weighted. */
export function serviceOf(usage: FlowUsage): number {
  const { inputTokens, cachedTokens, outputTokens, deltas, requestBytes, responseBytes } = usage;
  const input = inputTokens < 0 ? requestBytes / BYTES_PER_TOKEN : inputTokens - Math.max(0, cachedTokens);
  const output = outputTokens < 0 ? (deltas ?? responseBytes / BYTES_PER_TOKEN) : outputTokens;
  return Math.max(0, input) + OUTPUT_WEIGHT * output;
}
