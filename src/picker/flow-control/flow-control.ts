import { firstReady } from '../scheduling/first-ready';
import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import type { Band } from './band';
import type { Flow, Waiting } from './flow';
import { IndexedHeap } from './indexed-heap';
import { HOLD_MS, Line } from './line';
import { OUTCOME_OF, type Refusal, type RefusalReason } from './outcome';
import { FlowControlMetrics } from './queue-metrics';
import { type Ask, type QueuedPool, QueuedRequest } from './queued-request';
import type { FlowControlSettings } from './settings';

/** While somebody waits, what changes with time alone (trust in an old report, a ceiling that was kept long enough) is looked at so often. */
const HEARTBEAT_MS = HOLD_MS;

/** What flow control has of the world. */
export interface FlowControlHost<T> {
  /** What the host will know the request by that was just asked for, and that must wait. */
  ticket(): T;
  /** A request that waited goes on, with this leave. */
  dispatch(ticket: T, flow: Flow<T>): void;
  /** A request that waited is refused. */
  refuse(ticket: T, refusal: Refusal): void;
  /** `tick` is wanted then, instead of whenever it was wanted before. */
  wakeAt(atMs: number): void;
}

/**
 * Decides who goes on at once, who waits and who is refused. Strict priority between bands, fairness between the flows of a band, an order
 * in each flow. It works on events alone (a request, the end of one, a report, an endpoint, a deadline) and reads no clock: every call is
 * told the time. Nobody is lost: a request that waits is dispatched, refused or removed, once.
 */
export class FlowControl<T> {
  public readonly metrics = new FlowControlMetrics();
  public queued = 0;
  public queuedBytes = 0;
  private readonly lines = new Map<EndpointSource, Line<T>>();
  private readonly expiries = new IndexedHeap<QueuedRequest<T>>(
    (a, b) => a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.arrival < b.arrival),
  );
  private arrivals = 0;
  private isPumping = false;
  private pumpAgain = false;
  private isDraining = false;
  private wakeAtMs = Number.POSITIVE_INFINITY;

  public constructor(
    private settings: FlowControlSettings,
    private readonly host: FlowControlHost<T>,
    private readonly nowMs: () => number,
  ) {}

  /** By other rules from here on. Who waits goes on waiting, until the deadline that it was given. */
  public use(settings: FlowControlSettings): void {
    const nowMs = this.nowMs();
    this.settings = settings;
    for (const line of this.lines.values()) line.use(settings, nowMs);
    if (!settings.queues) this.letAllPass();
    this.pump();
  }

  /** Leave to go on at once, the request in the queue, or why it is refused. */
  public enter(ask: Ask): Flow<T> | Waiting<T> | Refusal {
    const nowMs = this.nowMs();
    const line = this.lineFor(ask.attempts);
    const band = line.band(ask.priority);
    const isEmpty = line.isEmpty;
    if (!isEmpty && line.ahead(band) === 0 && line.hasRoom(band, nowMs)) {
      return this.pass(line, band, ask, nowMs);
    }
    if (!this.settings.queues) {
      // an empty pool is the scheduler's to refuse, as it always was
      if (ask.priority >= 0 || isEmpty) return this.pass(line, band, ask, nowMs);
      return this.refusal(line, band, ask, 'shed', nowMs);
    }
    if (this.isDraining) return this.refusal(line, band, ask, 'shutting-down', nowMs);
    if (!isEmpty && line.ahead(band) === 0 && this.takePlace(line, band, nowMs)) return this.pass(line, band, ask, nowMs);
    return this.makeRoom(line, band, ask, nowMs) ?? this.enqueue(line, band, ask, nowMs);
  }

  /** The client has gone. */
  public leave(waiting: Waiting<T>): void {
    const queued = waiting as QueuedRequest<T>;
    const nowMs = this.nowMs();
    this.remove(queued, nowMs);
    this.metrics.left(queued.line.name, queued, 'EvictedContextCancelled', nowMs - queued.enqueuedMs);
  }

  /** Something may have changed for those who wait: a report, an endpoint, the end of a request. */
  public pump(): void {
    if (this.queued === 0) return;
    if (this.isPumping) {
      this.pumpAgain = true;
      return;
    }
    this.isPumping = true;
    try {
      do {
        this.pumpAgain = false;
        const nowMs = this.nowMs();
        for (const line of this.lines.values()) if (line.queued > 0) this.pumpLine(line, nowMs);
      } while (this.pumpAgain);
    } finally {
      this.isPumping = false;
      this.rearm();
    }
  }

  /** Endpoints have come or gone. */
  public endpointsChanged(): void {
    const nowMs = this.nowMs();
    for (const line of this.lines.values()) line.followEndpoints(nowMs);
    if (this.queued > 0) this.moveOn(nowMs);
    this.pump();
  }

  /** The time that was asked for has come. */
  public tick(): void {
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.nowMs();
    for (let first = this.expiries.first; first !== undefined && first.deadlineMs <= nowMs; first = this.expiries.first) {
      this.evict(first, first.line.isEmpty ? 'expired-no-endpoints' : 'expired', nowMs);
    }
    this.pump();
    this.rearm();
  }

  /** Refuses everyone who waits, and whoever would have to from here on. */
  public drain(): void {
    this.isDraining = true;
    const nowMs = this.nowMs();
    for (let first = this.expiries.first; first !== undefined; first = this.expiries.first) {
      this.evict(first, 'shutting-down', nowMs);
    }
  }

  /** For metrics and pages. */
  public allLines(): Iterable<Line<T>> {
    return this.lines.values();
  }

  public get limits(): FlowControlSettings {
    return this.settings;
  }

  private finished(line: Line<T>): void {
    line.learn(this.nowMs());
    this.pump();
  }

  private pass(line: Line<T>, band: Band<T>, ask: Ask, nowMs: number): Flow<T> {
    const flow = band.begin(ask.fairnessId, nowMs);
    this.metrics.passed(line.name, ask, flow);
    return flow;
  }

  private pumpLine(line: Line<T>, nowMs: number): void {
    if (line.isEmpty) return;
    for (const band of line.bands) {
      while (band.queued > 0) {
        // who matters less does not overtake, even where its ceiling is as high
        if (!line.hasRoom(band, nowMs) && !this.takePlace(line, band, nowMs)) return;
        this.dispatch(band.next() as QueuedRequest<T>, nowMs);
      }
    }
  }

  private dispatch(queued: QueuedRequest<T>, nowMs: number): void {
    const { line, band, ticket, enqueuedMs } = queued;
    const flow = band.dispatch(queued, nowMs);
    line.drain.dispatched(nowMs);
    this.forget(queued, nowMs);
    this.metrics.left(line.name, queued, 'Dispatched', nowMs - enqueuedMs);
    this.host.dispatch(ticket, flow);
  }

  /** Nobody waits in the configuration that is now in force. */
  private letAllPass(): void {
    const nowMs = this.nowMs();
    for (let first = this.expiries.first; first !== undefined; first = this.expiries.first) this.dispatch(first, nowMs);
  }

  private enqueue(line: Line<T>, band: Band<T>, ask: Ask, nowMs: number): QueuedRequest<T> {
    const { patienceMs } = ask;
    const longestMs = line.isEmpty ? this.settings.waitingRoom.queueMs : band.settings.queueMs;
    const deadlineMs = nowMs + (patienceMs >= 0 ? Math.min(longestMs, patienceMs) : longestMs);
    const queued = new QueuedRequest(this.host.ticket(), ask, ++this.arrivals, nowMs, deadlineMs, line, band);
    band.enqueue(queued, nowMs);
    if (line.queued++ === 0) line.drain.begin(nowMs);
    line.followEndpoints(nowMs);
    this.queued++;
    this.queuedBytes += queued.bytes;
    this.expiries.add(queued.expiry);
    this.metrics.joined(line.name, queued);
    this.rearm();
    return queued;
  }

  /** Gives up others for the newcomer where that is right and enough; else says why there is no place. */
  private makeRoom(line: Line<T>, band: Band<T>, ask: Ask, nowMs: number): Refusal | undefined {
    const { maxRequests, maxBytes, waitingRoom } = this.settings;
    const { bytes } = ask;
    if (bytes > band.settings.maxBytes || bytes > maxBytes) return this.refusal(line, band, ask, 'too-large', nowMs);
    const isRoomFull = line.isEmpty && line.queued >= waitingRoom.maxRequests;
    const missingInBand = band.queuedBytes + bytes - band.settings.maxBytes;
    const isBandFull = band.queued >= band.settings.maxRequests || missingInBand > 0;
    const missing = this.queuedBytes + bytes - maxBytes;
    const isFull = this.queued >= maxRequests || missing > 0;
    if (!isRoomFull && !isBandFull && !isFull) return undefined;
    // a tenant with more in the queue gives way, if one request of his is enough
    const rival = this.rivalOf(band, ask);
    const isEnough = rival !== undefined && rival.bytes >= Math.max(missingInBand, missing);
    if (isEnough && !isRoomFull && (isBandFull || !this.hasLower(ask.priority, missing))) {
      this.evict(rival, 'evicted-pressure', nowMs);
      return undefined;
    }
    if (isRoomFull || isBandFull) return this.refusal(line, band, ask, line.isEmpty ? 'no-endpoints' : 'full', nowMs);
    if (!this.hasLower(ask.priority, missing)) return this.refusal(line, band, ask, 'full', nowMs);
    while (this.queued >= maxRequests || this.queuedBytes + bytes > maxBytes) {
      this.evict(this.leastImportant()!, 'evicted-priority', nowMs);
    }
    return undefined;
  }

  /**
   * Ends a running request of the lowest priority for one of this band. One for one: the load stays as it was, so whether there is room need
   * not be asked again.
   */
  private takePlace(line: Line<T>, band: Band<T>, nowMs: number): boolean {
    for (let i = line.bands.length - 1; line.bands[i] !== band; i--) {
      const lower = line.bands[i]!;
      if (lower.settings.evicts === 'none') continue;
      for (let victim = lower.evictable.first; victim !== undefined; victim = lower.evictable.first) {
        lower.evictable.remove(victim.place);
        const refusal = this.describe(line, lower, 'evicted-running', nowMs - victim.beganMs, nowMs);
        if (!this.withoutPumping(() => victim.evict(refusal))) continue;
        this.metrics.shed(line.name, lower.settings.name, 'evicted-running');
        return true;
      }
    }
    return false;
  }

  /** The place that becomes free is for one who is known. */
  private withoutPumping(evict: () => boolean): boolean {
    const { isPumping } = this;
    this.isPumping = true;
    try {
      return evict();
    } finally {
      this.isPumping = isPumping;
    }
  }

  /** The last of the tenant who has most in the queue, if he would still have more than the newcomer. */
  private rivalOf(band: Band<T>, ask: Ask): QueuedRequest<T> | undefined {
    return band.victim(band.queuedOf(ask.fairnessId) + 1) as QueuedRequest<T> | undefined;
  }

  /** Whether requests of lower priorities wait, and hold so many bytes. */
  private hasLower(priority: number, bytes: number): boolean {
    let requests = 0;
    let sum = 0;
    for (const line of this.lines.values()) {
      for (const { settings, queued, queuedBytes } of line.bands) {
        if (settings.priority >= priority) continue;
        requests += queued;
        sum += queuedBytes;
      }
    }
    return requests > 0 && sum >= bytes;
  }

  /** The last of the lowest band that has somebody waiting, in any pool. */
  private leastImportant(): QueuedRequest<T> | undefined {
    let lowest: Band<T> | undefined;
    for (const line of this.lines.values()) {
      for (const band of line.bands) {
        if (band.queued > 0 && band.settings.priority < (lowest?.settings.priority ?? Number.POSITIVE_INFINITY)) lowest = band;
      }
    }
    return lowest?.victim() as QueuedRequest<T> | undefined;
  }

  private evict(queued: QueuedRequest<T>, reason: RefusalReason, nowMs: number): void {
    const { line, band, enqueuedMs } = queued;
    this.remove(queued, nowMs);
    this.metrics.left(line.name, queued, OUTCOME_OF[reason], nowMs - enqueuedMs);
    this.metrics.shed(line.name, band.settings.name, reason);
    this.host.refuse(queued.ticket, this.describe(line, band, reason, nowMs - enqueuedMs, nowMs));
  }

  private refusal(line: Line<T>, band: Band<T>, ask: Ask, reason: RefusalReason, nowMs: number): Refusal {
    this.metrics.left(line.name, ask, OUTCOME_OF[reason], 0, true);
    this.metrics.shed(line.name, band.settings.name, reason);
    return this.describe(line, band, reason, 0, nowMs);
  }

  private describe(line: Line<T>, band: Band<T>, reason: RefusalReason, waitedMs: number, nowMs: number): Refusal {
    const retryMs = reason === 'too-large' ? -1 : reason === 'shutting-down' ? 0 : line.retryMs(band, nowMs);
    return { kind: 'refusal', reason, band: band.settings.name, pool: line.name, waitedMs, retryMs };
  }

  private remove(queued: QueuedRequest<T>, nowMs: number): void {
    queued.band.remove(queued);
    this.forget(queued, nowMs);
  }

  private forget(queued: QueuedRequest<T>, nowMs: number): void {
    this.expiries.remove(queued.expiry);
    if (--queued.line.queued === 0) queued.line.drain.end(nowMs);
    this.queued--;
    this.queuedBytes -= queued.bytes;
  }

  /** Everyone waits for the pool that he would be sent to: another one when that has lost its endpoints, the first when it has some again. */
  private moveOn(nowMs: number): void {
    for (const queued of this.expiries.values().sort((a, b) => a.arrival - b.arrival)) {
      const line = this.lineFor(queued.attempts);
      if (line === queued.line) continue;
      queued.band.remove(queued);
      if (--queued.line.queued === 0) queued.line.drain.end(nowMs);
      queued.line = line;
      queued.band = line.band(queued.priority);
      queued.band.enqueue(queued, nowMs);
      if (line.queued++ === 0) line.drain.begin(nowMs);
    }
  }

  private lineFor(attempts: Ask['attempts']): Line<T> {
    return this.line(firstReady(attempts).pool);
  }

  private line(pool: QueuedPool): Line<T> {
    let line = this.lines.get(pool.endpoints);
    if (line === undefined) {
      line = new Line<T>(pool.name, pool.endpoints, this.settings, (finished) => this.finished(finished));
      this.lines.set(pool.endpoints, line);
    }
    return line;
  }

  private rearm(): void {
    if (this.queued === 0) return;
    const nowMs = this.nowMs();
    const atMs = Math.min(this.expiries.first!.deadlineMs, nowMs + HEARTBEAT_MS);
    if (this.wakeAtMs <= atMs) return;
    this.wakeAtMs = atMs;
    this.host.wakeAt(atMs);
  }
}
