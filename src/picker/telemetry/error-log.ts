import type { Clock } from '../../shared/clock';
import type { Logger } from './log';

/** Errors that are logged one by one, before the rest of the period is only counted. */
const MAX_PER_PERIOD = 20;
const PERIOD_MS = 10_000;

/** Logs errors that peers can cause at will, and only so many of them: a flood must not fill the log, nor hold up requests. */
export class ErrorLog {
  private periodEndMs = Number.NEGATIVE_INFINITY;
  private logged = 0;
  private suppressed = 0;

  public constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  public add(error: unknown): void {
    const nowMs = this.clock.nowMs();
    if (nowMs >= this.periodEndMs) {
      if (this.suppressed > 0) this.log.warn({ count: this.suppressed }, 'further failures were not logged');
      this.periodEndMs = nowMs + PERIOD_MS;
      this.logged = 0;
      this.suppressed = 0;
    }
    if (this.logged === MAX_PER_PERIOD) {
      this.suppressed++;
      return;
    }
    this.logged++;
    this.log.warn({ err: error instanceof Error ? error : new Error(String(error)) }, 'a connection or a request failed');
  }
}
