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
  /** False where only GPUs are asked for. @default true */
  readonly scrapesEngines?: boolean;
  /** DCGM exporters beside the engines. @default none is asked */
  readonly gpu?: GpuScrapeOptions;
}

/** Where the DCGM exporter of an endpoint is. */
export interface GpuScrapeOptions {
  readonly port: number;
  readonly path: string;
  readonly tls: ScrapeTls | undefined;
  /** At the node's address (a DaemonSet) rather than at the pod's (a sidecar). */
  readonly usesNodeAddress: boolean;
  readonly intervalMs: number;
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
  readonly podName: string | undefined;
  readonly namespace: string | undefined;
  readonly nodeAddress: string | undefined;
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
  readonly kind: 'failing' | 'recovered' | 'incomplete' | 'gpu-failing' | 'gpu-recovered';
  readonly slot: number;
  readonly generation: number;
  /** Why it fails, or what is missing on its page; empty where it is well again. */
  readonly reason: string;
}

/** Runs the scrapes: in this thread or another. */
export interface ScraperHost {
  update(update: ScrapeUpdate): void;
  stop(): Promise<void>;
}
