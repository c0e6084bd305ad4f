import type { Clock } from '../../shared/clock';
import type { SourceStatus } from './endpoint-discovery';

/** Keeps the books of one source: when it was last in touch, and what fails. */
export class SourceState {
  private isSynced = false;
  private isCurrent = false;
  private sinceMs = Date.now();
  private lastError: string | undefined;
  private failures = 0;
  private touchedAtMs: number;

  public constructor(
    private readonly source: string,
    private readonly clock: Clock,
  ) {
    this.touchedAtMs = clock.nowMs();
  }

  /** The whole state was read. */
  public synced(): void {
    this.isSynced = true;
    this.touched();
  }

  /** The source was heard of. */
  public touched(): void {
    this.touchedAtMs = this.clock.nowMs();
  }

  /** Changes are followed from here on. @returns for how many seconds they were not; undefined when they were, or never had been */
  public followed(): number | undefined {
    this.touched();
    if (this.isCurrent) return undefined;
    const lostSeconds = this.lastError === undefined ? undefined : (Date.now() - this.sinceMs) / 1e3;
    this.turn(true);
    this.lastError = undefined;
    return lostSeconds;
  }

  public failed(reason: string): void {
    this.failures++;
    this.lastError = reason;
    if (this.isCurrent) this.turn(false);
  }

  public get status(): SourceStatus {
    return {
      source: this.source,
      isSynced: this.isSynced,
      isCurrent: this.isCurrent,
      sinceMs: this.sinceMs,
      staleSeconds: this.isCurrent ? 0 : (this.clock.nowMs() - this.touchedAtMs) / 1e3,
      lastError: this.lastError,
      failures: this.failures,
    };
  }

  private turn(isCurrent: boolean): void {
    this.isCurrent = isCurrent;
    this.sinceMs = Date.now();
  }
}
