import type { RandomSource } from '../../shared/random';

/** First wait after a failure, and the longest one: a picker learns within seconds that the API server is back. */
const FIRST_MS = 250;
const LONGEST_MS = 10_000;
/** A server may ask for more patience than that, but not for any amount of it. */
const LONGEST_ASKED_MS = 60_000;

/** Waits that double with every failure in a row, each spread over its upper half, so that pickers do not come back all at once. */
export class Backoff {
  private failures = 0;

  public constructor(
    private readonly random: RandomSource,
    private readonly longestMs = LONGEST_MS,
  ) {}

  public reset(): void {
    this.failures = 0;
  }

  /** @param askedMs the server's Retry-After */
  public nextMs(askedMs = 0): number {
    const ceilingMs = Math.min(this.longestMs, FIRST_MS * 2 ** Math.min(this.failures++, 20));
    const ownMs = ceilingMs * (0.5 + this.random.next() / 2);
    return Math.max(ownMs, Math.min(askedMs, LONGEST_ASKED_MS));
  }
}
