import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { DEFAULT_ENGINE_SELECTOR } from '../../../../src/picker/metrics-scraper/engine-selector';
import { GpuPageReader } from '../../../../src/picker/metrics-scraper/gpu-page-reader';
import { MetricsScraper } from '../../../../src/picker/metrics-scraper/metrics-scraper';
import { ScrapeLoop } from '../../../../src/picker/metrics-scraper/scrape-loop';
import type { GpuScrapeOptions, ScrapeEvent } from '../../../../src/picker/metrics-scraper/scrape-protocol';
import { DEFAULT_SCRAPER_OPTIONS } from '../../../../src/picker/metrics-scraper/scraper-parameters';
import type { Endpoint } from '../../../../src/picker/scheduling/interface/endpoint-snapshot';
import { ENDPOINT_ATTRIBUTES } from '../../../../src/picker/scheduling/plugins/endpoint-attributes';
import { monotonicClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { EngineServer, page, until } from './support/engine-server';
import { TLS_CERT, TLS_KEY } from './support/tls';

interface Gpu {
  readonly pod?: string;
  readonly namespace?: string;
  readonly percent: number | string;
}

/** A page as the DCGM exporter writes it, with the families before and behind that it has by default. */
function dcgmPage(gpus: readonly Gpu[], family = 'DCGM_FI_DEV_GPU_UTIL'): string {
  const series = (name: string, value: (gpu: Gpu) => number | string): string =>
    gpus
      .map((gpu, index) => {
        const owner = gpu.pod === undefined ? '' : `,container="vllm",namespace="${gpu.namespace ?? 'llm'}",pod="${gpu.pod}"`;
        const card = `gpu="${index}",UUID="GPU-${index}",pci_bus_id="00000000:0${index}:00.0",device="nvidia${index}"`;
        return `${name}{${card},modelName="NVIDIA H100 80GB HBM3",Hostname="node-1"${owner}} ${value(gpu)}\n`;
      })
      .join('');
  return [
    '# HELP DCGM_FI_DEV_SM_CLOCK SM clock frequency (in MHz).\n# TYPE DCGM_FI_DEV_SM_CLOCK gauge\n',
    series('DCGM_FI_DEV_SM_CLOCK', () => 1980),
    `# HELP ${family} GPU utilization (in %).\n# TYPE ${family} gauge\n`,
    series(family, ({ percent }) => percent),
    '# HELP DCGM_FI_DEV_FB_USED Framebuffer memory used (in MiB).\n# TYPE DCGM_FI_DEV_FB_USED gauge\n',
    series('DCGM_FI_DEV_FB_USED', () => 70_000),
  ].join('');
}

const ONE = { podName: 'vllm-1', namespace: 'llm' };

describe('a page of the exporter', () => {
  test.each<[string, string, number | undefined]>([
    ['one GPU', dcgmPage([{ percent: 73 }]), 0.73],
    ['several: the busiest', dcgmPage([{ percent: 73 }, { percent: 81 }, { percent: 65 }]), 0.81],
    [
      'those of several pods: its own',
      dcgmPage([
        { pod: 'vllm-1', percent: 40 },
        { pod: 'vllm-1', percent: 70 },
        { pod: 'vllm-2', percent: 99 },
        { pod: 'vllm-1', namespace: 'other', percent: 98 },
        { pod: '', namespace: '', percent: 97 },
      ]),
      0.7,
    ],
    ['idle', dcgmPage([{ pod: 'vllm-1', percent: 0 }]), 0],
    ['only those of others', dcgmPage([{ pod: 'vllm-2', percent: 9 }]), undefined],
    ['no number', dcgmPage([{ pod: 'vllm-1', percent: 'NaN' }]), undefined],
    ['more than full', dcgmPage([{ pod: 'vllm-1', percent: 250 }]), 1],
    ['slices of a GPU', dcgmPage([{ pod: 'vllm-1', percent: 0.25 }], 'DCGM_FI_PROF_GR_ENGINE_ACTIVE'), 0.25],
  ])('with %s', (_, text, expected) => {
    expect(new GpuPageReader().read(Buffer.from(text), [ONE])).toEqual([expected]);
  });

  test('of something else has nothing', () => {
    expect(new GpuPageReader().read(Buffer.from('vllm:num_requests_waiting 1\n'), [ONE])).toBeUndefined();
  });
});

describe('scraping real exporters', () => {
  const cleanups: (() => Promise<void>)[] = [];
  let events: ScrapeEvent[] = [];
  let store: EndpointStore;
  const utilization = ENDPOINT_ATTRIBUTES.get('GPUUtilization/dcgm-extractor')!;
  const known = (): number[] => [0, 1, 2].map((slot) => utilization(store.snapshot.table, slot));

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    events = [];
  });

  async function exporter(...args: Parameters<typeof EngineServer.start>): Promise<EngineServer> {
    const server = await EngineServer.start(...args);
    cleanups.push(() => server.stop());
    return server;
  }

  /** Nothing listens on the ports of the engines: only their exporters are asked. */
  const pod = (index: number, address = '127.0.0.1'): Endpoint => ({
    ...{
      name: `vllm-${index}-rank-0`,
      podName: `vllm-${index}`,
      namespace: 'llm',
      address,
      nodeAddress: '127.0.0.1',
      port: index,
    },
    ...{ labels: {}, ready: true, hostPort: `${address}:${index}` },
  });

  function scrape(endpoints: readonly Endpoint[], gpu: Partial<GpuScrapeOptions> & { port: number }): void {
    const options = {
      ...DEFAULT_SCRAPER_OPTIONS,
      ...{ timeoutMs: 500, scrapesEngines: false, intervals: { busyMs: 10, idleMs: 10 } },
      gpu: { path: '/metrics', tls: undefined, usesNodeAddress: false, intervalMs: 20, ...gpu },
    };
    const loop = new ScrapeLoop(options, monotonicClock, new SeededRandom(1), (event) => events.push(event));
    const scraper = new MetricsScraper(loop, DEFAULT_ENGINE_SELECTOR);
    cleanups.push(() => scraper.stop());
    store = new EndpointStore();
    store.replaceAll(endpoints);
    scraper.follow(store);
  }

  test('one exporter of a node is asked once for all of its pods, and each gets its own GPUs', async () => {
    let busy = 30;
    const gpus = (): Gpu[] => [
      { pod: 'vllm-1', percent: busy },
      { pod: 'vllm-2', percent: 90 },
    ];
    const server = await exporter(page(() => dcgmPage(gpus())));
    scrape([pod(1, '127.0.0.2'), pod(2, '127.0.0.3'), pod(3, '127.0.0.4')], { port: server.port, usesNodeAddress: true });
    await until(() => known()[0] === 0.3, 'the first page');
    expect(known()).toEqual([0.3, 0.9, Number.NaN]);
    busy = 60;
    await until(() => known()[0] === 0.6, 'the second page');
    expect(server.connections).toBe(1);
    expect(events).toEqual([{ kind: 'gpu-failing', slot: 2, generation: 1, reason: "the page has no GPU of pod 'vllm-3'" }]);
  });

  test('a sidecar is asked at the address of the pod, over TLS where it has that', async () => {
    const server = await exporter(
      page(() => dcgmPage([{ percent: 55 }])),
      { tls: { key: TLS_KEY, cert: TLS_CERT } },
    );
    scrape([pod(1)], { port: server.port, tls: { verify: false } });
    await until(() => known()[0] === 0.55, 'the page');
  });

  test('what an exporter said is forgotten when it stays away, and known again when it is back', async () => {
    const server = await exporter(page(() => dcgmPage([{ percent: 40 }])));
    const { port } = server;
    scrape([pod(1)], { port });
    await until(() => known()[0] === 0.4, 'the page');
    await server.stop();
    await until(() => Number.isNaN(known()[0]!), 'that it is forgotten');
    await exporter(
      page(() => dcgmPage([{ percent: 45 }])),
      { port },
    );
    await until(() => known()[0] === 0.45, 'the page of the next one');
    expect(events.map(({ kind }) => kind)).toEqual(['gpu-failing', 'gpu-recovered']);
  });

  test('an endpoint that takes the place of another does not inherit its GPUs', async () => {
    const server = await exporter(page(() => dcgmPage([{ pod: 'vllm-1', percent: 40 }])));
    scrape([pod(1)], { port: server.port });
    await until(() => known()[0] === 0.4, 'the page');
    store.replaceAll([pod(2)]);
    expect(known().every(Number.isNaN)).toBe(true);
    await until(() => events.some(({ reason }) => reason.includes("'vllm-2'")), 'a page for the next one');
    expect(known().every(Number.isNaN)).toBe(true);
  });
});
