import type { Timeline } from '../core/timeline';

/** Simulated time that follows the wall clock, `speed` times as fast. */
export class WallTimeline implements Timeline {
  private readonly startedAt = performance.now();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** While an action runs, time stands at its due instant: what it schedules does not add up the timer's lateness. */
  private dueMs: number | undefined;
  /** The latest instant that anybody was told: time never runs back behind it. */
  private toldMs = 0;

  constructor(private readonly speed = 1) {}

  nowMs(): number {
    const nowMs = this.dueMs ?? (performance.now() - this.startedAt) * this.speed;
    return (this.toldMs = Math.max(this.toldMs, nowMs));
  }

  schedule(atMs: number, action: () => void): void {
    const delayMs = Math.max(0, atMs / this.speed - (performance.now() - this.startedAt));
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.dueMs = atMs;
      // what is due at an instant happens at it, though the timer may be a fraction of a millisecond early
      this.toldMs = Math.max(this.toldMs, atMs);
      try {
        action();
      } finally {
        this.dueMs = undefined;
      }
    }, delayMs);
    this.timers.add(timer);
  }

  /** Forgets everything that is scheduled, so that the process can end. */
  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}
