import { networkInterfaces } from 'node:os';
import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { DEFAULT_ENGINE_SELECTOR } from '../../../../src/picker/metrics-scraper/engine-selector';
import { MetricsScraper } from '../../../../src/picker/metrics-scraper/metrics-scraper';
import { ScrapeLoop } from '../../../../src/picker/metrics-scraper/scrape-loop';
import type { ScrapeEvent, ScraperOptions } from '../../../../src/picker/metrics-scraper/scrape-protocol';
import { DEFAULT_SCRAPER_OPTIONS } from '../../../../src/picker/metrics-scraper/scraper-parameters';
import { type Endpoint, formatHostPort } from '../../../../src/picker/scheduling/interface/endpoint-snapshot';
import { monotonicClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { EngineServer, page, until } from './support/engine-server';
import { vllmPage } from './support/pages';
import { TLS_CERT, TLS_KEY } from './support/tls';

const OPTIONS: ScraperOptions = { ...DEFAULT_SCRAPER_OPTIONS, intervals: { busyMs: 10, idleMs: 40 }, timeoutMs: 200 };

describe('scraping real servers', () => {
  let store: EndpointStore;
  const cleanups: (() => Promise<void>)[] = [];
  let events: ScrapeEvent[] = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    events = [];
  });

  async function engine(...args: Parameters<typeof EngineServer.start>): Promise<EngineServer> {
    const server = await EngineServer.start(...args);
    cleanups.push(() => server.stop());
    return server;
  }

  function endpointAt(
    port: number,
    { address = '127.0.0.1', labels = {} }: { address?: string; labels?: Record<string, string> } = {},
  ): Endpoint {
    return { name: `engine-${port}`, address, port, labels, ready: true, hostPort: formatHostPort(address, port) };
  }

  function scrape(endpoints: readonly Endpoint[], options: Partial<ScraperOptions> = {}): void {
    const loop = new ScrapeLoop({ ...OPTIONS, ...options }, monotonicClock, new SeededRandom(1), (event) => events.push(event));
    const scraper = new MetricsScraper(loop, DEFAULT_ENGINE_SELECTOR);
    cleanups.push(() => scraper.stop());
    store = new EndpointStore();
    store.replaceAll(endpoints);
    scraper.follow(store);
  }

  const table = () => store.snapshot.table;
  const slotOf = ({ hostPort }: Endpoint) => store.snapshot.byHostPort.get(hostPort)!;

  test("values arrive in the endpoint's columns, over one kept connection", async () => {
    let waiting = 3;
    const server = await engine(
      page(() =>
        vllmPage({ waiting, running: 2, kv: 0.5, cacheInfo: 'vllm:cache_config_info{block_size="16",num_gpu_blocks="100"} 1\n' }),
      ),
    );
    const before = monotonicClock.nowMs();
    scrape([endpointAt(server.port)]);
    await until(() => table().waiting[0] === 3, 'the first report');
    waiting = 8;
    await until(() => table().waiting[0] === 8, 'the second report');
    expect([table().running[0], table().kvUsageRatio[0], table().blockSizeTokens[0], table().kvBlocks[0]]).toEqual([
      2, 0.5, 16, 100,
    ]);
    expect(table().updatedAtMs[0]).toBeGreaterThan(before);
    expect(table().updatedAtMs[0]).toBeLessThanOrEqual(monotonicClock.nowMs());
    expect([table().scrapeFailures[0], server.connections]).toEqual([0, 1]);
    expect(events).toEqual([]);
  });

  test.each<[string, (text: string) => Parameters<typeof EngineServer.start>[0]]>([
    [
      'chunked in small pieces',
      (text) => (_, response) => {
        for (let at = 0; at < text.length; at += 97) response.write(text.slice(at, at + 97));
        response.end();
      },
    ],
    [
      'with the connection closed after it',
      (text) => (_, response) => {
        response.setHeader('connection', 'close');
        response.end(text);
      },
    ],
    [
      'written without framing until the end of the connection',
      (text) => (request) => {
        request.socket.end(`HTTP/1.0 200 OK\r\n\r\n${text}`);
      },
    ],
    [
      'in two halves with a pause',
      (text) => (_, response) => {
        response.setHeader('content-length', text.length);
        response.write(text.slice(0, 1000));
        setTimeout(() => response.end(text.slice(1000)), 30);
      },
    ],
  ])('a page %s', async (_, answer) => {
    const server = await engine(answer(vllmPage({ waiting: 5, running: 1, fillerLines: 500 })));
    scrape([endpointAt(server.port)]);
    await until(() => table().waiting[0] === 5 && server.requests > 2, 'several reports');
    expect(events).toEqual([]);
  });

  test.each<[string, Parameters<typeof EngineServer.start>[0], RegExp]>([
    ['an error status', (_, response) => response.writeHead(503).end('loading'), /HTTP status 503/],
    ['no answer in time', () => {}, /no answer within 200 ms/],
    [
      'half an answer',
      (_, response) => response.writeHead(200, { 'content-length': 5000 }).write('vllm:'),
      /no answer within 200 ms/,
    ],
    ['a connection that closes at once', (request) => request.socket.destroy(), /closed without an answer|ECONNRESET/],
    ['bytes that are no HTTP', (request) => request.socket.end('SSH-2.0-OpenSSH\r\n\r\n'), /not an HTTP\/1.1 response/],
    ['a page of another program', page(() => 'up 1\n'), /none of the metrics of engine 'vllm': vllm:num_requests_waiting/],
    ['a page beyond the bound', page(() => 'x'.repeat(200_000)), /larger than 100000 bytes/],
    [
      'a compressed page',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      /content-encoding gzip/,
    ],
  ])('%s is told once, counted, and over when it is over', async (_, broken, reason) => {
    const server = await engine(broken);
    scrape([endpointAt(server.port)], { maxPageBytes: 100_000 });
    await until(() => table().scrapeFailures[0]! >= 2, 'two failures');
    expect(events).toEqual([
      { kind: 'failing', slot: 0, generation: table().generation[0], reason: expect.stringMatching(reason) },
    ]);
    expect(table().updatedAtMs[0]).toBe(0);
    server.answer = page(() => vllmPage({ waiting: 1 }));
    await until(() => table().scrapeFailures[0] === 0 && table().waiting[0] === 1, 'the recovery');
    expect(events.slice(1)).toEqual([expect.objectContaining({ kind: 'recovered' })]);
  });

  test('an engine that is not there, then comes', async () => {
    const gone = await EngineServer.start(() => {});
    const { port } = gone;
    await gone.stop();
    scrape([endpointAt(port)]);
    await until(() => events.length === 1, 'the failure');
    expect(events[0]!.reason).toBe('ECONNREFUSED');
    await engine(
      page(() => vllmPage({ running: 4 })),
      { port },
    );
    await until(() => table().running[0] === 4, 'the report');
  });

  test('an engine that went and came back is one restart, however often it was asked meanwhile', async () => {
    const answer = page(() => vllmPage({ running: 4 }));
    const first = await engine(answer);
    const { port } = first;
    scrape([endpointAt(port)]);
    await until(() => table().scrapes[0]! > 0, 'the first report');
    expect([table().restarts[0], table().restartsInAll[0]]).toEqual([0, 0]);
    await first.stop();
    await until(() => table().scrapeFailures[0]! >= 3, 'three failures');
    const before = table().scrapes[0]!;
    await engine(answer, { port });
    await until(() => table().scrapes[0]! > before, 'the next report');
    expect([table().restarts[0], table().restartsInAll[0]]).toEqual([1, 1]);
  });

  test('a server that drops idle connections is no failure', async () => {
    const server = await engine(page(() => vllmPage({ waiting: 1 })));
    scrape([endpointAt(server.port)]);
    for (let i = 1; i <= 3; i++) {
      await until(() => server.connections === i && table().scrapes[0]! >= 3 * i, `connection ${i}`);
      server.cutConnections();
    }
    await until(() => server.connections === 4, 'the last connection');
    expect(events).toEqual([]);
  });

  test('a page that lacks a metric still counts, and is told once', async () => {
    const server = await engine(page(() => 'vllm:num_requests_waiting 6\n'));
    scrape([endpointAt(server.port)]);
    await until(() => table().scrapes[0]! >= 3, 'three reports');
    expect(table().waiting[0]).toBe(6);
    expect(events).toEqual([
      expect.objectContaining({
        kind: 'incomplete',
        reason: 'the page lacks vllm:num_requests_running, vllm:kv_cache_usage_perc or vllm:gpu_cache_usage_perc',
      }),
    ]);
  });

  test('the engine label chooses the metrics; both spellings and the default', async () => {
    const text = 'sglang:num_queue_reqs 7\ntrtllm_num_requests_waiting 8\nvllm:num_requests_waiting 9\n';
    const servers = await Promise.all([1, 2, 3, 4].map(() => engine(page(() => text))));
    const labels = [
      { 'llm-d.ai/engine-type': 'sglang' },
      { 'inference.networking.k8s.io/engine-type': 'trtllm-serve' },
      {},
      { 'llm-d.ai/engine-type': 'unknown' },
    ];
    const endpoints = servers.map(({ port }, i) => endpointAt(port, { labels: labels[i]! as Record<string, string> }));
    scrape(endpoints);
    await until(() => endpoints.every((each) => table().scrapes[slotOf(each)]! > 0), 'all reports');
    expect(endpoints.map((each) => table().waiting[slotOf(each)])).toEqual([7, 8, 9, 9]);
  });

  test('B12: an idle endpoint is asked less and less, until a request is in flight', async () => {
    const server = await engine(page(() => vllmPage()));
    scrape([endpointAt(server.port)], { intervals: { busyMs: 10, idleMs: 5000 } });
    await until(() => table().scrapeIntervalMs[0]! >= 640, 'a long interval');
    const idleRequests = server.requests;
    table().inFlight[0] = 1;
    await until(() => server.requests >= idleRequests + 5, 'frequent scrapes', 600);
    expect(table().scrapeIntervalMs[0]).toBe(10);
  });

  test('an endpoint that leaves is not asked again, and its last answer does not reach its successor', async () => {
    let release = () => {};
    const slow = await engine((_, response) => {
      release = () => response.end(vllmPage({ waiting: 99 }));
    });
    const next = await engine(page(() => vllmPage({ waiting: 1 })));
    scrape([endpointAt(slow.port)], { timeoutMs: 5000 });
    await until(() => slow.requests === 1, 'the first request');
    for (let i = 0; i < 16; i++) store.replaceAll([endpointAt(20_000 + i)]);
    store.replaceAll([endpointAt(next.port)]);
    release();
    await until(() => table().scrapes[slotOf(endpointAt(next.port))]! > 2, 'the report of the successor');
    expect(table().waiting).not.toContain(99);
    expect(slow.requests).toBe(1);
  });

  test('adapters can be found under their names', async () => {
    const adapters = 'vllm:lora_requests_info{max_lora="3",running_lora_adapters="sql",waiting_lora_adapters="code"} 1.7e9\n';
    const server = await engine(page(() => vllmPage({ adapters })));
    scrape([endpointAt(server.port)]);
    await until(() => table().maxAdapters[0] === 3, 'the report');
    expect([table().runningAdapters[0], table().waitingAdapters[0]]).toEqual([1, 1]);
  });

  test('HTTPS, with and without verification', async () => {
    const server = await engine(
      page(() => vllmPage({ waiting: 2, fillerLines: 3000 })),
      { tls: { key: TLS_KEY, cert: TLS_CERT } },
    );
    scrape([endpointAt(server.port)], { tls: { verify: true } });
    await until(() => events.length === 1, 'the refusal');
    expect(events[0]!.reason).toMatch(/SELF_SIGNED|self-signed/);
    scrape([endpointAt(server.port)], { tls: { verify: false } });
    await until(() => table().waiting[0] === 2, 'the report without verification');
    scrape([endpointAt(server.port)], { tls: { verify: true, ca: TLS_CERT } });
    await until(() => table().waiting[0] === 2 && table().scrapes[0]! > 2, 'the report with the right authority');
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
  (hasIpv6 ? test : test.skip)('IPv6', async () => {
    const server = await engine(
      page(() => vllmPage({ waiting: 2 })),
      { host: '::1' },
    );
    scrape([endpointAt(server.port, { address: '::1' })]);
    await until(() => table().waiting[0] === 2, 'the report');
  });
});
