import { followReports } from '../scheduling/flight-book';
import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import { TrustKeeper } from '../scheduling/trust';
import { Band } from './band';
import { DrainRate } from './drain-rate';
import type { FlowControlSettings } from './settings';

/** Saturation must fall so far below the ceiling before requests that wait go on, … */
const HYSTERESIS = 0.02;
/** … or stay below it for so long. */
export const HOLD_MS = 250;
/** Reports are looked at so often at most while requests only end. */
const LEARN_INTERVAL_MS = 20;
/** A band is held back for those above it for so long after their last request. */
export const HOLDBACK_MS = 60_000;
/** Time in which a pool without endpoints gets one, before it was seen: an image that is there, weights of some gigabytes. */
const USUAL_START_MS = 60_000;
/** Share of the last start in what is expected of the next. */
const NEW_START_RATIO = 0.5;

/** What waits for one pool, and whether the pool has room. */
export class Line<T> {
  /** Highest priority first. */
  public readonly bands: Band<T>[] = [];
  public queued = 0;
  public readonly drain = new DrainRate();
  private readonly byPriority = new Map<number, Band<T>>();
  private trust: TrustKeeper;
  /** Where room was found last. */
  private from = 0;
  private emptySinceMs = -1;
  private learnAtMs = 0;
  private startMs = USUAL_START_MS;

  public constructor(
    public readonly name: string,
    public readonly source: EndpointSource,
    private settings: FlowControlSettings,
    private readonly onFinished: (line: Line<T>) => void,
  ) {
    this.trust = new TrustKeeper(settings.trust);
    for (const { priority } of settings.bands) this.band(priority);
  }

  public get isEmpty(): boolean {
    return this.source.snapshot.ready.length === 0;
  }

  public band(priority: number): Band<T> {
    return this.byPriority.get(priority) ?? this.addBand(priority);
  }

  /** By other rules from here on. */
  public use(settings: FlowControlSettings, nowMs: number): void {
    this.settings = settings;
    this.trust = new TrustKeeper(settings.trust);
    for (const { priority } of settings.bands) this.band(priority);
    for (const [priority, band] of this.byPriority) {
      for (const waiting of band.use(settings.bandFor(priority))) band.enqueue(waiting, nowMs);
    }
  }

  /** Requests that are served before a newcomer of the band. */
  public ahead(band: Band<T>): number {
    let ahead = 0;
    for (let i = 0; i < this.bands.length; i++) {
      ahead += this.bands[i]!.queued;
      if (this.bands[i] === band) break;
    }
    return ahead;
  }

  /** Whether a request of the band may go on, as far as the pool's load is concerned. */
  public hasRoom(band: Band<T>, nowMs: number): boolean {
    const ceiling = this.ceilingOf(band, nowMs);
    if (!band.isClosed) {
      if (this.isBelow(ceiling, nowMs)) return true;
      // counts since reports that have come meanwhile are too high
      this.refresh(nowMs);
      if (this.isBelow(ceiling, nowMs)) return true;
      band.isClosed = true;
      band.belowSinceMs = -1;
      return false;
    }
    this.refresh(nowMs);
    if (!this.isBelow(ceiling, nowMs)) {
      band.belowSinceMs = -1;
      return false;
    }
    if (band.belowSinceMs < 0) band.belowSinceMs = nowMs;
    if (nowMs - band.belowSinceMs < HOLD_MS && !this.isBelow(ceiling - HYSTERESIS, nowMs)) return false;
    band.isClosed = false;
    return true;
  }

  /** Mean of the ready endpoints' levels, each 1 at most: a single full one is no reason to wait, as others have room. 0 without any. */
  public saturation(nowMs: number): number {
    const { table, ready } = this.source.snapshot;
    let sum = 0;
    for (let k = 0; k < ready.length; k++) sum += Math.min(1, this.settings.saturation.level(table, ready[k]!, nowMs));
    return ready.length === 0 ? 0 : sum / ready.length;
  }

  /** Notes whether the pool has endpoints. */
  public followEndpoints(nowMs: number): void {
    if (this.isEmpty) {
      if (this.emptySinceMs < 0) this.emptySinceMs = nowMs;
    } else if (this.emptySinceMs >= 0) {
      // what was empty when nobody asked for it says nothing of how long a start takes
      this.startMs += NEW_START_RATIO * (nowMs - this.emptySinceMs - this.startMs);
      this.emptySinceMs = -1;
    }
  }

  /** When a place for a further request of the band will probably be free, in milliseconds from now. */
  public retryMs(band: Band<T>, nowMs: number): number {
    if (this.isEmpty) return Math.max(1_000, this.startMs - (this.emptySinceMs < 0 ? 0 : nowMs - this.emptySinceMs));
    return this.drain.timeFor(this.ahead(band) + 1, nowMs);
  }

  public ceilingOf(band: Band<T>, nowMs: number): number {
    const { ceiling, busyCeiling } = band.settings;
    if (busyCeiling >= ceiling) return ceiling;
    for (let i = 0; this.bands[i] !== band; i++) if (nowMs - this.bands[i]!.usedAtMs < HOLDBACK_MS) return busyCeiling;
    return ceiling;
  }

  /** Looks at no more endpoints than it needs: mostly one. */
  private isBelow(ceiling: number, nowMs: number): boolean {
    const { table, ready } = this.source.snapshot;
    const { saturation } = this.settings;
    const count = ready.length;
    const limit = ceiling * count;
    let sum = 0;
    let k = this.from < count ? this.from : 0;
    for (let seen = 1; seen <= count; seen++) {
      const level = saturation.level(table, ready[k]!, nowMs);
      sum += level < 1 ? level : 1;
      // even if all others were full
      if (sum + count - seen < limit) {
        this.from = k;
        return true;
      }
      if (sum >= limit) return false;
      if (++k === count) k = 0;
    }
    return false;
  }

  /** A request is over: a good moment to learn from reports that have come since one was sent, if that was not just done. */
  public learn(nowMs: number): void {
    if (nowMs >= this.learnAtMs) this.refresh(nowMs);
  }

  private refresh(nowMs: number): void {
    const { snapshot } = this.source;
    this.trust.refresh(snapshot, nowMs);
    followReports(snapshot, nowMs);
    this.learnAtMs = nowMs + LEARN_INTERVAL_MS;
  }

  private addBand(priority: number): Band<T> {
    const band = new Band<T>(this.settings.bandFor(priority), () => this.onFinished(this));
    this.byPriority.set(priority, band);
    this.bands.push(band);
    this.bands.sort((a, b) => b.settings.priority - a.settings.priority);
    return band;
  }
}
