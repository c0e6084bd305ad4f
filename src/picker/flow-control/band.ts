import { type Turns, turnsFor } from './fairness';
import { type Evictable, Flow, type FlowOwner, type FlowUsage, serviceOf, type Waiting } from './flow';
import { IndexedHeap } from './indexed-heap';
import type { BandSettings, Evicts } from './settings';

/** Flows are forgotten after this time without a request, when there are many. */
const IDLE_MS = 300_000;
const MANY_FLOWS = 1_000;
const FORGET_INTERVAL_MS = 1_000;
/** Share of the mean that one more request leaves. */
const KEPT_RATIO = 0.9;
/** Weighted tokens of a request, before any was seen. */
const USUAL_SERVICE = 500;

/** The requests of one priority for one pool: those that wait, by flow, and what those under way have used. */
export class Band<T> implements FlowOwner<T> {
  public queued = 0;
  public queuedBytes = 0;
  /** A request of the band last began then. */
  public usedAtMs = Number.NEGATIVE_INFINITY;
  /** The band's requests wait until saturation has fallen clearly. */
  public isClosed = false;
  /** Since when saturation is below the ceiling, while closed; -1 when it is not. */
  public belowSinceMs = -1;
  public readonly evictable = new IndexedHeap<Evictable>((a, b) => a.order > b.order);
  private readonly flows = new Map<string, Flow<T>>();
  private turns: Turns<T>;
  /** The flow that began last. */
  private last: Flow<T> | undefined;
  /** Weighted tokens of its requests; -1 before one was seen. */
  private meanService = -1;
  private forgotAtMs = Number.NEGATIVE_INFINITY;

  /** @param onFinished a request of the band is over */
  public constructor(
    public settings: BandSettings,
    private readonly onFinished: () => void,
  ) {
    this.turns = turnsFor(settings.fairness);
  }

  public get countsTokens(): boolean {
    return this.settings.fairness === 'attainedService';
  }

  public get evicts(): Evicts {
    return this.settings.evicts;
  }

  /** By other rules from here on; whoever waits goes on waiting. */
  public use(settings: BandSettings): readonly Waiting<T>[] {
    const before = this.settings;
    this.settings = settings;
    if (before.fairness === settings.fairness && before.ordering === settings.ordering) return [];
    const waiting = [...this.flows.values()].flatMap(({ queue }) => queue.values());
    // requests under way still end in the flows that they began in
    for (const flow of this.flows.values()) flow.turn.at = -1;
    this.last = undefined;
    this.flows.clear();
    this.turns = turnsFor(settings.fairness);
    this.queued = 0;
    this.queuedBytes = 0;
    return waiting;
  }

  /** A request begins. */
  public begin(key: string, nowMs: number): Flow<T> {
    const flow = this.flow(key, nowMs);
    this.usedAtMs = nowMs;
    this.last = flow;
    flow.running++;
    this.rank(flow);
    return flow;
  }

  public enqueue(waiting: Waiting<T>, nowMs: number): void {
    const flow = this.flow(waiting.fairnessId, nowMs);
    const isFirst = flow.queue.size === 0;
    flow.queue.add(waiting.order);
    this.queued++;
    this.queuedBytes += waiting.bytes;
    if (!isFirst) return;
    // neither credit for the time in which it asked for nothing, nor a debt for what others are only expected to use
    flow.service = Math.max(flow.service, (this.turns.next() ?? this.last)?.service ?? 0);
    flow.since = waiting.arrival;
    this.rank(flow);
    this.turns.add(flow);
  }

  /** Whoever's turn it is; still in the queue. */
  public next(): Waiting<T> | undefined {
    return this.turns.next()?.queue.first;
  }

  /** Takes a request out of the queue. */
  public remove(waiting: Waiting<T>): void {
    const flow = this.flows.get(this.keyOf(waiting.fairnessId))!;
    flow.queue.remove(waiting.order);
    this.queued--;
    this.queuedBytes -= waiting.bytes;
    if (flow.queue.size === 0) this.turns.remove(flow);
  }

  /** Takes a request out of the queue and begins it. */
  public dispatch(waiting: Waiting<T>, nowMs: number): Flow<T> {
    this.remove(waiting);
    const flow = this.begin(waiting.fairnessId, nowMs);
    this.turns.served(flow);
    return flow;
  }

  /**
   * Whom to give up for somebody else: the last in the longest queue.
   * @param longerThan only of a flow with more than that many
   */
  public victim(longerThan = 0): Waiting<T> | undefined {
    let longest: Flow<T> | undefined;
    for (const flow of this.flows.values()) {
      if (flow.queue.size > (longest?.queue.size ?? longerThan)) longest = flow;
    }
    return longest?.queue.last();
  }

  /** Requests of a tenant that wait. */
  public queuedOf(fairnessId: string): number {
    return this.flows.get(this.keyOf(fairnessId))?.queue.size ?? 0;
  }

  public finished(flow: Flow<T>, usage: FlowUsage | undefined): void {
    flow.running--;
    if (usage !== undefined) {
      const service = serviceOf(usage);
      flow.service += service;
      flow.meanService = mean(flow.meanService, service);
      this.meanService = mean(this.meanService, service);
    }
    this.rank(flow);
    this.onFinished();
  }

  /** For pages: every flow that has requests. */
  public *active(): Generator<Flow<T>> {
    for (const flow of this.flows.values()) if (flow.queue.size > 0 || flow.running > 0) yield flow;
  }

  private keyOf(fairnessId: string): string {
    return this.settings.fairness === 'none' ? '' : fairnessId;
  }

  private flow(fairnessId: string, nowMs: number): Flow<T> {
    const key = this.keyOf(fairnessId);
    let flow = this.flows.get(key);
    if (flow === undefined) {
      if (this.flows.size >= MANY_FLOWS) this.forgetIdle(nowMs);
      flow = new Flow<T>(key, this.settings.ordering, this);
      this.flows.set(key, flow);
    }
    flow.idleSinceMs = nowMs;
    return flow;
  }

  private forgetIdle(nowMs: number): void {
    // names that are made up for every request must not fill the memory either
    const isTooMany = this.flows.size >= 10 * MANY_FLOWS;
    if (!isTooMany && nowMs - this.forgotAtMs < FORGET_INTERVAL_MS) return;
    this.forgotAtMs = nowMs;
    const idle = [...this.flows.values()].filter(({ queue, running }) => queue.size === 0 && running === 0);
    for (const { key, idleSinceMs } of idle) if (isTooMany || nowMs - idleSinceMs >= IDLE_MS) this.flows.delete(key);
  }

  private rank(flow: Flow<T>): void {
    const expected = flow.meanService >= 0 ? flow.meanService : this.meanService >= 0 ? this.meanService : USUAL_SERVICE;
    flow.rank = flow.service + flow.running * expected;
    this.turns.changed(flow);
  }
}

function mean(before: number, value: number): number {
  return before < 0 ? value : before * KEPT_RATIO + value * (1 - KEPT_RATIO);
}
