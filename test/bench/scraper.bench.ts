/**
 * What scraping costs, in shares of one core: N endpoints with pages of 24 KB, idle and busy. Run:
 * `npx esbuild test/bench/scraper.bench.ts --bundle --platform=node --outfile=/tmp/b.js && node /tmp/b.js`.
 * The servers run in a process of their own, so that only the scraper is counted.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import { DEFAULT_ENGINE_SELECTOR } from '../../src/picker/metrics-scraper/engine-selector';
import { MetricsScraper } from '../../src/picker/metrics-scraper/metrics-scraper';
import { ScrapeLoop } from '../../src/picker/metrics-scraper/scrape-loop';
import { DEFAULT_SCRAPER_OPTIONS } from '../../src/picker/metrics-scraper/scraper-parameters';
import { monotonicClock } from '../../src/shared/clock';
import { SeededRandom } from '../../src/shared/random';
import { vllmPage } from '../unit/picker/metrics-scraper/support/pages';

const SETTLE_MS = 4_000;
const MEASURED_MS = 5_000;

if (process.argv[2] === 'serve') void serve(Number(process.argv[3]));
else void main();

async function serve(count: number): Promise<void> {
  const body = vllmPage({ fillerLines: 240 });
  const head = { 'content-type': 'text/plain', 'content-length': body.length };
  const ports: number[] = [];
  for (let i = 0; i < count; i++) {
    const server = createServer((_, response) => response.writeHead(200, head).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  process.send!(ports);
}

async function main(): Promise<void> {
  const rows = [];
  for (const count of [8, 32, 100]) for (const isBusy of [false, true]) rows.push(await measure(count, isBusy));
  console.table(rows);
}

async function measure(count: number, isBusy: boolean): Promise<Record<string, unknown>> {
  const servers = fork(__filename, ['serve', String(count)]);
  const ports = await new Promise<number[]>((resolve) => servers.once('message', (message) => resolve(message as number[])));
  const store = new EndpointStore();
  const endpoint = (port: number) => ({ name: `e${port}`, address: '127.0.0.1', port, labels: {}, ready: true });
  store.replaceAll(ports.map((port) => ({ ...endpoint(port), hostPort: `127.0.0.1:${port}` })));
  if (isBusy) store.snapshot.table.inFlight.fill(1, 0, count);
  const loop = new ScrapeLoop(DEFAULT_SCRAPER_OPTIONS, monotonicClock, new SeededRandom(1), (event) => console.error(event));
  const scraper = new MetricsScraper(loop, DEFAULT_ENGINE_SELECTOR);
  scraper.follow(store);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const scrapes = () => store.snapshot.table.scrapes.reduce((sum, each) => sum + each, 0);
  await pause(SETTLE_MS);
  const [before, scrapesBefore] = [process.cpuUsage(), scrapes()];
  await pause(MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  const done = scrapes() - scrapesBefore;
  await scraper.stop();
  servers.kill();
  return {
    endpoints: count,
    load: isBusy ? 'busy' : 'idle',
    'scrapes/s': Math.round(done / (MEASURED_MS / 1000)),
    'of a core': ((user + system) / 1000 / MEASURED_MS).toFixed(3),
    'µs per scrape': Math.round((user + system) / Math.max(1, done)),
  };
}
