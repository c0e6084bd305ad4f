import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { DEFAULT_ENGINE_SELECTOR } from '../../../../src/picker/metrics-scraper/engine-selector';
import { MetricsScraper } from '../../../../src/picker/metrics-scraper/metrics-scraper';
import type { ScrapeEvent } from '../../../../src/picker/metrics-scraper/scrape-protocol';
import { DEFAULT_SCRAPER_OPTIONS } from '../../../../src/picker/metrics-scraper/scraper-parameters';
import { ScraperThread } from '../../../../src/picker/metrics-scraper/scraper-thread';
import { EndpointTable } from '../../../../src/picker/scheduling/interface/endpoint-table';
import { monotonicClock } from '../../../../src/shared/clock';
import { EngineServer, page, until } from './support/engine-server';
import { vllmPage } from './support/pages';

/** What the thread runs, and a way to make it fail. */
const PROGRAM = `
  import { runScraperWorker } from './src/picker/metrics-scraper/scraper-worker';
  import { parentPort } from 'node:worker_threads';
  runScraperWorker();
  parentPort.on('message', (message) => { if (message.capacity === 0) throw new Error('told to die'); });
`;

describe('scraping in a worker thread', () => {
  const events: ScrapeEvent[] = [];
  const deaths: [string, number][] = [];
  let thread: ScraperThread;
  let engine: EngineServer;

  beforeAll(async () => {
    const { outputFiles } = buildSync({
      stdin: { contents: PROGRAM, resolveDir: join(__dirname, '../../../..'), loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
    });
    engine = await EngineServer.start(page(() => vllmPage({ waiting: 4, running: 1 })));
    thread = new ScraperThread(
      outputFiles[0]!.text,
      { ...DEFAULT_SCRAPER_OPTIONS, intervals: { busyMs: 10, idleMs: 50 } },
      { onEvent: (event) => events.push(event), onDeath: (reason, restartMs) => deaths.push([reason, restartMs]) },
    );
  });

  afterAll(async () => {
    await thread.stop();
    await engine.stop();
  });

  test('reports arrive in shared memory, with times of the same clock', async () => {
    const store = new EndpointStore();
    new MetricsScraper(thread, DEFAULT_ENGINE_SELECTOR).follow(store);
    const hostPort = `127.0.0.1:${engine.port}`;
    const before = monotonicClock.nowMs();
    store.replaceAll([{ name: 'a', address: '127.0.0.1', port: engine.port, labels: {}, ready: true, hostPort }]);
    const { table } = store.snapshot;
    await until(() => table.scrapes[0]! > 2, 'three reports');
    expect(table.waiting[0]).toBe(4);
    expect(table.updatedAtMs[0]).toBeGreaterThan(before);
    expect(table.updatedAtMs[0]).toBeLessThanOrEqual(monotonicClock.nowMs());

    engine.answer = page(() => 'nothing 1\n');
    await until(() => events.some(({ kind }) => kind === 'failing'), 'the event');
    engine.answer = page(() => vllmPage({ waiting: 5 }));
    await until(() => table.waiting[0] === 5, 'the recovery');
  });

  test('a thread that dies is started again and goes on where it was', async () => {
    const store = new EndpointStore();
    thread.update({ capacity: 0, buffer: new EndpointTable(0).buffer, targets: [] });
    const hostPort = `127.0.0.1:${engine.port}`;
    store.replaceAll([{ name: 'a', address: '127.0.0.1', port: engine.port, labels: {}, ready: true, hostPort }]);
    new MetricsScraper(thread, DEFAULT_ENGINE_SELECTOR).follow(store);
    await until(() => deaths.length === 1, 'the death');
    expect(deaths).toEqual([['told to die', 100]]);
    await until(() => store.snapshot.table.scrapes[0]! > 2, 'reports of the next thread');
  });
});
