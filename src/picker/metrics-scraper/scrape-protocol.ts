import type { EngineMetrics } from './engine-metrics';
import type { ScrapeIntervals } from './scrape-interval';

/** What a scraper is told once. Plain data: it crosses to a worker thread. */
export interface ScraperOptions {
  readonly intervals: ScrapeIntervals;
  /** From the request to the last byte. @default 1000 */
  readonly timeoutMs: number;
  /** @default 8 MiB */
  readonly maxPageBytes: number;
  /** @default `/metrics` */
  readonly path: string;
  /** Undefined for plain HTTP. */
  readonly tls: ScrapeTls | undefined;
}

/** PEM texts. */
export interface ScrapeTls {
  /** False accepts any certificate. */
  readonly verify: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** One endpoint to scrape. */
export interface ScrapeTarget {
  readonly slot: number;
  readonly generation: number;
  readonly address: string;
  readonly port: number;
  readonly engine: string;
  readonly metrics: EngineMetrics;
}

/** The targets from here on, and the table that their reports go to. */
export interface ScrapeUpdate {
  readonly capacity: number;
  readonly buffer: SharedArrayBuffer;
  readonly targets: readonly ScrapeTarget[];
}

/** Something about an endpoint that an operator should read once, not at every scrape. */
export interface ScrapeEvent {
  readonly kind: 'failing' | 'recovered' | 'incomplete';
  readonly slot: number;
  readonly generation: number;
  /** Why it fails, or what is missing on its page; empty for `recovered`. */
  readonly reason: string;
}

/** Runs the scrapes: in this thread or another. */
export interface ScraperHost {
  update(update: ScrapeUpdate): void;
  stop(): Promise<void>;
}
