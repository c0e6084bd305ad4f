import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import { EnginePageReader, type EngineReport } from './engine-page-reader';
import type { BodyBuffers } from './http-response-reader';
import { signalReport } from './report-signal';
import { REFUSED, ScrapeConnection, type ScrapeListener } from './scrape-connection';
import { nextIntervalMs, withJitterMs } from './scrape-interval';
import type { ScrapeEvent, ScraperOptions, ScrapeTarget } from './scrape-protocol';

/** What all tasks of a thread share. */
export interface ScrapeSurroundings {
  readonly options: ScraperOptions;
  readonly buffers: BodyBuffers;
  /** The table in force. */
  readonly table: () => EndpointTable;
  readonly nowMs: () => number;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly onEvent: (event: ScrapeEvent) => void;
}

/** Keeps one endpoint's columns up to date. */
export class ScrapeTask implements ScrapeListener {
  private readonly connection: ScrapeConnection;
  private readonly reader: EnginePageReader;
  private intervalMs: number;
  private dueAtMs: number;
  /** When the request went out; -1 while none is on its way. */
  private startedAtMs = -1;
  private failures = 0;
  /** Nothing listened at the port the last time. */
  private isGone = false;
  private knowsCacheInfo = false;
  private missing = '';

  public constructor(
    public readonly target: ScrapeTarget,
    private readonly around: ScrapeSurroundings,
  ) {
    const { options, buffers } = around;
    const { tls } = options;
    this.connection = new ScrapeConnection(
      {
        address: target.address,
        port: target.port,
        path: options.path,
        maxPageBytes: options.maxPageBytes,
        tls: tls === undefined ? undefined : { rejectUnauthorized: tls.verify, ca: tls.ca, cert: tls.cert, key: tls.key },
      },
      buffers,
      this,
    );
    this.reader = new EnginePageReader(target.metrics);
    this.intervalMs = options.intervals.busyMs;
    // spread over the first interval, or a fleet that starts at once stays in step
    this.dueAtMs = around.nowMs() + around.chance() * options.intervals.busyMs;
  }

  /** Scrapes if it is time, gives up if it took too long. */
  public tick(nowMs: number, dueBeforeMs: number): void {
    const { options } = this.around;
    if (this.startedAtMs >= 0) {
      if (nowMs - this.startedAtMs >= options.timeoutMs) this.connection.abort(`no answer within ${options.timeoutMs} ms`);
      return;
    }
    if (this.dueAtMs > dueBeforeMs && !this.isWoken()) return;
    if (!this.isCurrent()) return;
    this.startedAtMs = nowMs;
    if (!this.connection.isKept) this.knowsCacheInfo = false;
    this.connection.request();
  }

  public close(): void {
    this.connection.close();
  }

  public onPage(page: Buffer): void {
    const report = this.reader.read(page, !this.knowsCacheInfo);
    if (report.waiting === undefined && report.running === undefined && report.kvUsageRatio === undefined) {
      this.onFailure(
        `the page has none of the metrics of engine '${this.target.engine}': ${this.reader.loadMetricNames.join(', ')}`,
      );
      return;
    }
    if (this.isCurrent()) this.write(report);
    if (this.failures > 0) this.tell('recovered', '');
    this.failures = 0;
    this.isGone = false;
    this.tellMissing(report);
    const isBusy = this.inFlight() > 0 || (report.waiting ?? 0) > 0 || (report.running ?? 0) > 0;
    this.again(isBusy);
  }

  public onFailure(reason: string): void {
    if (this.failures++ === 0) this.tell('failing', reason);
    if (this.isCurrent()) {
      const table = this.around.table();
      const { slot } = this.target;
      table.scrapeFailures[slot] = this.failures;
      if (reason === REFUSED && !this.isGone) {
        table.restarts[slot] = table.restarts[slot]! + 1;
        table.restartsInAll[0] = table.restartsInAll[0]! + 1;
      }
    }
    this.isGone = reason === REFUSED;
    this.again(false);
  }

  private write(report: EngineReport): void {
    const table = this.around.table();
    const { slot } = this.target;
    if (report.waiting !== undefined) table.waiting[slot] = report.waiting;
    if (report.running !== undefined) table.running[slot] = report.running;
    if (report.kvUsageRatio !== undefined) table.kvUsageRatio[slot] = report.kvUsageRatio;
    if (report.blockSizeTokens !== undefined) table.blockSizeTokens[slot] = report.blockSizeTokens;
    if (report.kvBlocks !== undefined) table.kvBlocks[slot] = report.kvBlocks;
    this.knowsCacheInfo ||= report.kvBlocks !== undefined;
    const { adapters } = report;
    if (adapters !== undefined) table.setAdapters(slot, adapters.max, adapters.running, adapters.waiting);
    table.scrapeFailures[slot] = 0;
    table.scrapes[slot] = (table.scrapes[slot]! + 1) | 0;
    table.updatedAtMs[slot] = this.around.nowMs();
    signalReport(table);
  }

  private again(isBusy: boolean): void {
    const nowMs = this.around.nowMs();
    const { intervals } = this.around.options;
    this.intervalMs = nextIntervalMs(this.intervalMs, isBusy, this.failures, intervals);
    // counted from the request, or a slow page would stretch the interval
    this.dueAtMs = Math.max(nowMs, this.startedAtMs + withJitterMs(this.intervalMs, this.around.chance()));
    this.startedAtMs = -1;
    // a failing endpoint's trust must fall as if it were still asked at the pace of its last good report
    if (this.failures === 0 && this.isCurrent()) this.around.table().scrapeIntervalMs[this.target.slot] = this.intervalMs;
  }

  /** A request was sent to an endpoint that was idle. */
  private isWoken(): boolean {
    if (this.failures > 0 || this.intervalMs <= this.around.options.intervals.busyMs || this.inFlight() === 0) return false;
    this.intervalMs = this.around.options.intervals.busyMs;
    return true;
  }

  private inFlight(): number {
    return this.around.table().inFlight[this.target.slot]!;
  }

  /** The slot still belongs to this endpoint: the main thread may have given it away before its message arrived here. */
  private isCurrent(): boolean {
    return Atomics.load(this.around.table().generation, this.target.slot) === this.target.generation;
  }

  private tellMissing(report: EngineReport): void {
    const { waiting, running, kvUsage } = this.target.metrics;
    const missing = [
      waiting !== undefined && report.waiting === undefined ? waiting.name : '',
      running !== undefined && report.running === undefined ? running.name : '',
      kvUsage.length > 0 && report.kvUsageRatio === undefined ? kvUsage.map(({ name }) => name).join(' or ') : '',
    ]
      .filter((name) => name !== '')
      .join(', ');
    if (missing === this.missing) return;
    this.missing = missing;
    if (missing !== '') this.tell('incomplete', `the page lacks ${missing}`);
  }

  private tell(kind: ScrapeEvent['kind'], reason: string): void {
    this.around.onEvent({ kind, slot: this.target.slot, generation: this.target.generation, reason });
  }
}
