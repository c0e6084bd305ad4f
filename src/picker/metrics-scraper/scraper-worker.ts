import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../../shared/clock';
import { unpredictableRandom } from '../../shared/random';
import { ScrapeLoop } from './scrape-loop';
import type { ScraperOptions, ScrapeUpdate } from './scrape-protocol';

/** Scrapes until the main thread ends this one. */
export function runScraperWorker(): void {
  const port = parentPort!;
  const options = workerData as ScraperOptions;
  const loop = new ScrapeLoop(options, monotonicClock, unpredictableRandom(), (event) => port.postMessage(event));
  port.on('message', (update: ScrapeUpdate) => loop.update(update));
}
