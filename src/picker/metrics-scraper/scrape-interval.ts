/** How often endpoints are scraped. */
export interface ScrapeIntervals {
  /** While the endpoint works, in milliseconds. @default 50 */
  readonly busyMs: number;
  /** At most, while it is idle or does not answer, in milliseconds. @default 1000 */
  readonly idleMs: number;
}

export const DEFAULT_SCRAPE_INTERVALS: ScrapeIntervals = { busyMs: 50, idleMs: 1000 };

/** Share of the interval by which scrapes are spread, so that a hundred endpoints are not asked at the same moment. */
const JITTER_RATIO = 0.2;

/**
 * The next interval of an endpoint: the shortest while it works, and twice the last one, up to the longest, while nothing changes or
 * nobody answers. An idle endpoint's page says the same every time.
 */
export function nextIntervalMs(lastMs: number, isBusy: boolean, failures: number, { busyMs, idleMs }: ScrapeIntervals): number {
  if (isBusy && failures === 0) return busyMs;
  return Math.max(busyMs, Math.min(idleMs, Math.max(busyMs, lastMs) * 2));
}

/** @param chance uniform in [0, 1) */
export function withJitterMs(intervalMs: number, chance: number): number {
  return intervalMs * (1 + JITTER_RATIO * (chance - 0.5));
}
