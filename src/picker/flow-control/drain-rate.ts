/** Dispatches of the last seconds, while somebody waited, tell when a place will be free. */
const MEMORY_MS = 10_000;
const LONGEST_MS = 600_000;
/** Before anything was seen. */
const FIRST_GUESS_MS = 1_000;

/** How fast a queue drains, learned while there is one: in quiet times arrivals say nothing of what the pool could do. */
export class DrainRate {
  /** Decayed count of dispatches, and the decayed time in which they were. */
  private dispatches = 0;
  private elapsedMs = 0;
  private lastMs = -1;

  /** Somebody waits from now on. */
  public begin(nowMs: number): void {
    if (this.lastMs < 0) this.lastMs = nowMs;
  }

  /** Nobody waits any more. */
  public end(nowMs: number): void {
    this.advance(nowMs);
    this.lastMs = -1;
  }

  public dispatched(nowMs: number): void {
    this.advance(nowMs);
    this.dispatches++;
  }

  /** Time in which a queue of this length is served, in milliseconds. */
  public timeFor(requests: number, nowMs: number): number {
    this.advance(nowMs);
    if (this.dispatches < 1 || this.elapsedMs <= 0) return FIRST_GUESS_MS;
    return Math.min(LONGEST_MS, Math.max(1, Math.ceil((requests * this.elapsedMs) / this.dispatches)));
  }

  private advance(nowMs: number): void {
    if (this.lastMs < 0 || nowMs <= this.lastMs) return;
    const passedMs = nowMs - this.lastMs;
    const kept = Math.exp(-passedMs / MEMORY_MS);
    this.dispatches *= kept;
    this.elapsedMs = this.elapsedMs * kept + passedMs;
    this.lastMs = nowMs;
  }
}
