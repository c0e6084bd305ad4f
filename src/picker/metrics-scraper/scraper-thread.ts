import { Worker } from 'node:worker_threads';
import type { ScrapeEvent, ScraperHost, ScraperOptions, ScrapeUpdate } from './scrape-protocol';

const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 10_000;
/** A thread that has lived so long was well: the next restart is quick again. */
const WELL_AFTER_MS = 60_000;

export interface ScraperThreadListener {
  onEvent(event: ScrapeEvent): void;
  /** The thread died and is started again after the delay. */
  onDeath(reason: string, restartMs: number): void;
}

/** Scrapes in a worker thread, so that no page is parsed on the thread that answers the proxy. */
export class ScraperThread implements ScraperHost {
  private worker: Worker;
  private last: ScrapeUpdate | undefined;
  private restartMs = FIRST_RESTART_MS;
  private restart: NodeJS.Timeout | undefined;
  private isStopped = false;

  /** @param program text of a program in CommonJS that calls `runScraperWorker` */
  public constructor(
    private readonly program: string,
    private readonly options: ScraperOptions,
    private readonly listener: ScraperThreadListener,
  ) {
    this.worker = this.start();
  }

  public update(update: ScrapeUpdate): void {
    this.last = update;
    this.worker.postMessage(update);
  }

  public async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.restart);
    await this.worker.terminate();
  }

  private start(): Worker {
    const startedAt = Date.now();
    // process.argv and execArgv are the program's business, not the thread's
    const worker = new Worker(this.program, { eval: true, workerData: this.options, argv: [], execArgv: [] });
    let reason = 'the thread ended';
    worker.on('message', (event: ScrapeEvent) => this.listener.onEvent(event));
    worker.on('error', (error) => {
      reason = (error as Partial<Error> | undefined)?.message ?? String(error);
    });
    worker.on('exit', () => {
      if (this.isStopped) return;
      if (Date.now() - startedAt > WELL_AFTER_MS) this.restartMs = FIRST_RESTART_MS;
      this.listener.onDeath(reason, this.restartMs);
      this.restart = setTimeout(() => {
        this.worker = this.start();
        if (this.last !== undefined) this.worker.postMessage(this.last);
      }, this.restartMs);
      this.restartMs = Math.min(LAST_RESTART_MS, this.restartMs * 2);
    });
    return worker;
  }
}
