import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../../shared/clock';
import { unpredictableRandom } from '../../shared/random';
import { ScrapeLoop } from './scrape-loop';
import type { ScraperOptions, ScrapeUpdate } from './scrape-protocol';

/** `workerData.role` of the thread that scrapes. */
export const SCRAPER_ROLE = 'scraper';

export interface ScraperWorkerData {
  readonly role: typeof SCRAPER_ROLE;
  readonly options: ScraperOptions;
}

/** True in a thread that was started to scrape: the program's main file then calls `runScraperWorker` and nothing else. */
export function isScraperWorker(): boolean {
  return (workerData as Partial<ScraperWorkerData> | null)?.role === SCRAPER_ROLE;
}

/** Scrapes until the main thread ends this one. */
export function runScraperWorker(): void {
  const port = parentPort!;
  const { options } = workerData as ScraperWorkerData;
  const loop = new ScrapeLoop(options, monotonicClock, unpredictableRandom(), (event) => port.postMessage(event));
  port.on('message', (update: ScrapeUpdate) => loop.update(update));
}
