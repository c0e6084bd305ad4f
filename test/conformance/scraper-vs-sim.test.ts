import { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import { DEFAULT_ENGINE_SELECTOR } from '../../src/picker/metrics-scraper/engine-selector';
import { MetricsScraper } from '../../src/picker/metrics-scraper/metrics-scraper';
import { ScrapeLoop } from '../../src/picker/metrics-scraper/scrape-loop';
import { DEFAULT_SCRAPER_OPTIONS } from '../../src/picker/metrics-scraper/scraper-parameters';
import { LoraAffinityScorer } from '../../src/picker/scheduling/plugins/scorer/lora-affinity-scorer/lora-affinity-scorer';
import { monotonicClock } from '../../src/shared/clock';
import { SeededRandom } from '../../src/shared/random';
import { describeWith } from '../components/describe-with';
import { eventually, freePort, startProcess } from '../components/process';
import { requestFor, scoresOf } from '../unit/picker/scheduling/support/pool';

describeWith(['sim'], 'scraping the reference simulator', ({ sim }) => {
  const store = new EndpointStore();
  const events: string[] = [];
  const slow = ['--time-to-first-token', '2s', '--inter-token-latency', '200ms'];
  let port: number;
  let scraper: MetricsScraper;

  beforeAll(async () => {
    port = await freePort();
    const args = [
      '--model',
      'llama',
      '--port',
      String(port),
      '--force-dummy-tokenizer',
      '--max-num-seqs',
      '2',
      '--max-loras',
      '2',
      ...slow,
    ];
    const cache = [
      '--enable-kvcache',
      '--kv-cache-size',
      '512',
      '--block-size',
      '16',
      '--zmq-endpoint',
      `tcp://127.0.0.1:${await freePort()}`,
    ];
    await startProcess(sim, {
      args: [...args, ...cache, '--lora-modules', '{"name":"sql"}'],
      env: { POD_IP: '127.0.0.1' },
      ready: { port },
    });
    const loop = new ScrapeLoop(DEFAULT_SCRAPER_OPTIONS, monotonicClock, new SeededRandom(1), ({ kind }) => events.push(kind));
    scraper = new MetricsScraper(loop, DEFAULT_ENGINE_SELECTOR);
    scraper.follow(store);
    store.replaceAll([{ name: 'sim', address: '127.0.0.1', port, labels: {}, ready: true, hostPort: `127.0.0.1:${port}` }]);
  }, 30_000);
  afterAll(() => scraper?.stop());

  test('an idle engine: its cache is known, and nothing waits', async () => {
    const { table } = store.snapshot;
    await eventually('a report', () => table.scrapes[0]! > 0);
    expect([table.waiting[0], table.running[0], table.kvUsageRatio[0]]).toEqual([0, 0, 0]);
    expect([table.blockSizeTokens[0], table.kvBlocks[0], table.maxAdapters[0]]).toEqual([16, 512, 2]);
    expect(events).toEqual([]);
  });

  test('five requests at two places: two run, three wait, one adapter is in use', async () => {
    const { table } = store.snapshot;
    const abort = new AbortController();
    const asked = Array.from({ length: 5 }, () =>
      fetch(`http://127.0.0.1:${port}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'sql', prompt: 'one two three', max_tokens: 20 }),
        signal: abort.signal,
      }).catch(() => undefined),
    );
    await eventually('the load', () => table.running[0] === 2 && table.waiting[0] === 3);
    await eventually('the adapter', () => table.runningAdapters[0] === 1);
    expect(scoresOf(new LoraAffinityScorer(), store, requestFor('', { targetModel: 'sql' }))).toEqual([1]);
    abort.abort();
    await Promise.all(asked);
  }, 20_000);
});
