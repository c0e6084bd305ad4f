/** Failures in a row after which the store is not asked. */
const MAX_FAILURES = 3;
const OPEN_MS = 1_000;

/** Keeps requests from waiting, one after another, for a store that does not answer. One question after each pause finds out whether it does. */
export class Breaker {
  private failures = 0;
  private openUntilMs = 0;

  /** Milliseconds for which the store is not asked; 0 when it may be. */
  public pauseMs(nowMs: number): number {
    return Math.max(0, Math.ceil(this.openUntilMs - nowMs));
  }

  public succeeded(): void {
    this.failures = 0;
  }

  public failed(nowMs: number): void {
    this.failures++;
    if (this.failures >= MAX_FAILURES) this.openUntilMs = nowMs + OPEN_MS;
  }
}
