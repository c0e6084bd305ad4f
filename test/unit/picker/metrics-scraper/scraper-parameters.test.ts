import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineOf } from '../../../../src/picker/metrics-scraper/engine-selector';
import { nextIntervalMs, withJitterMs } from '../../../../src/picker/metrics-scraper/scrape-interval';
import {
  DEFAULT_SCRAPER_OPTIONS,
  engineSelector,
  parseMetricSpec,
  scraperOptions,
} from '../../../../src/picker/metrics-scraper/scraper-parameters';
import { PluginParameters } from '../../../../src/picker/scheduling/plugin-parameters';
import { formatProblem, type Problem } from '../../../../src/shared/problem';
import { TLS_CERT, TLS_KEY } from './support/tls';

function read<T>(parse: (parameters: PluginParameters) => T, raw: Record<string, unknown>): { value: T; faults: string[] } {
  const problems: Problem[] = [];
  const value = parse(new PluginParameters('the-type', raw, 'plugins[0].parameters', (path) => path, problems));
  return { value, faults: problems.map(formatProblem) };
}

describe('parameters of metrics-data-source', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scraper-parameters-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  const options = (raw: Record<string, unknown>, intervalMs?: number) =>
    read((parameters) => scraperOptions(parameters, intervalMs), raw);

  test('nothing given means the defaults', () => {
    expect(options({})).toEqual({ value: DEFAULT_SCRAPER_OPTIONS, faults: [] });
  });

  test('the interval is that of a busy endpoint, and wins over the flag', () => {
    expect(options({ interval: '20ms' }, 100).value.intervals).toEqual({ busyMs: 20, idleMs: 1000 });
    expect(options({}, 100).value.intervals).toEqual({ busyMs: 100, idleMs: 1000 });
    expect(options({ interval: '5s' }).value.intervals).toEqual({ busyMs: 5000, idleMs: 5000 });
  });

  test('HTTPS with files', () => {
    const raw = {
      scheme: 'https',
      path: '/prometheus',
      insecureSkipVerify: false,
      caCertPath: file('ca.pem', TLS_CERT),
      clientCertPath: file('cert.pem', TLS_CERT),
      clientKeyPath: file('key.pem', TLS_KEY),
    };
    expect(options(raw)).toEqual({
      value: {
        ...DEFAULT_SCRAPER_OPTIONS,
        path: '/prometheus',
        tls: { verify: true, ca: TLS_CERT, cert: TLS_CERT, key: TLS_KEY },
      },
      faults: [],
    });
    expect(options({ scheme: 'https' }).value.tls).toEqual({ verify: false });
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ scheme: 'ftp' }, /AIG503 .*'scheme'.*got 'ftp'; allowed: http, https/],
    [{ path: 'metrics' }, /'path'.*a path that begins with '\/'/],
    [{ path: '/a b' }, /'path'/],
    [{ path: '/a\r\nx: y' }, /'path'/],
    [{ interval: '50' }, /'interval'.*got '50'; allowed: a duration of at least 1ms/],
    [{ interval: '0s' }, /'interval'/],
    [{ insecureSkipVerify: 'no' }, /true or false/],
    [
      { scheme: 'https', caCertPath: '/does/not/exist' },
      /AIG530 .*'caCertPath' cannot be read: ENOENT.*plugins\[0\].parameters.caCertPath/,
    ],
    [{ timeout: '1s' }, /AIG502 .*no parameter 'timeout'/],
  ])('%j is refused', (raw, expected) => {
    const { faults } = options(raw);
    expect(faults).toEqual([expect.stringMatching(expected)]);
  });

  test('a certificate without TLS, or that is none, is refused', () => {
    expect(options({ caCertPath: file('ca.pem', TLS_CERT) }).faults[0]).toMatch(/only together with scheme: https/);
    expect(options({ scheme: 'https', caCertPath: file('no.pem', 'hello') }).faults[0]).toMatch(/a file in PEM format/);
  });
});

describe('parameters of core-metrics-extractor', () => {
  test("an engine of one's own, chosen by a label of one's own", () => {
    const { value, faults } = read(engineSelector, {
      engineLabelKey: 'engine',
      defaultEngine: 'mine',
      engineConfigs: [
        {
          name: 'mine',
          queuedRequestsSpec: 'my_requests{state=queued}',
          runningRequestsSpec: 'my_requests{state="running", tier=a}',
          kvUsageSpec: 'my_cache',
          loraSpec: 'my_adapters',
          cacheInfoSpec: 'my_cache_info',
          cacheBlockSizeLabelName: 'bs',
          cacheNumBlocksLabelName: 'n',
        },
      ],
    });
    expect(faults).toEqual([]);
    expect(engineOf({}, value)).toEqual({
      name: 'mine',
      metrics: {
        waiting: { name: 'my_requests', labels: { state: 'queued' } },
        running: { name: 'my_requests', labels: { state: 'running', tier: 'a' } },
        kvUsage: [{ name: 'my_cache' }],
        adapters: { name: 'my_adapters' },
        cacheInfo: { kind: 'labels', metric: { name: 'my_cache_info' }, blockSizeLabel: 'bs', numBlocksLabel: 'n' },
      },
    });
    expect(engineOf({ engine: 'sglang' }, value).name).toBe('sglang');
    expect(engineOf({ 'llm-d.ai/engine-type': 'sglang' }, value).name).toBe('mine');
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ defaultEngine: 'tgi' }, /'defaultEngine'.*got 'tgi'; allowed: vllm, sglang,/],
    [{ engineConfigs: {} }, /a list of engines/],
    [{ engineConfigs: ['vllm'] }, /'engineConfigs\[0\]'/],
    [{ engineConfigs: [{ queuedRequestsSpec: 'a' }] }, /'engineConfigs\[0\].name'/],
    [{ engineConfigs: [{ name: 'x', queuedRequestsSpec: '{a=b}' }] }, /'engineConfigs\[0\].queuedRequestsSpec'.*got '\{a=b\}'/],
    [{ engineConfigs: [{ name: 'x', customMetrics: [] }] }, /'engineConfigs\[0\].customMetrics'/],
    [{ engineConfigs: [{ name: 'x', loraSpec: 5 }] }, /'engineConfigs\[0\].loraSpec'.*a text/],
    [{ engine: 'x' }, /no parameter 'engine'/],
  ])('%j is refused', (raw, expected) => {
    expect(read(engineSelector, raw).faults).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    ['a', { name: 'a' }],
    [' vllm:x_y2 ', { name: 'vllm:x_y2' }],
    ['a{}', { name: 'a' }],
    ['a{b=c}', { name: 'a', labels: { b: 'c' } }],
    ['a{ b = "c d" , e=f }', { name: 'a', labels: { b: 'c d', e: 'f' } }],
    ['2a', undefined],
    ['a b', undefined],
    ['a{b}', undefined],
    ['a{b=c', undefined],
    ['', undefined],
  ])('metric spec %j', (text, expected) => {
    expect(parseMetricSpec(text)).toEqual(expected);
  });
});

describe('intervals', () => {
  const intervals = { busyMs: 50, idleMs: 1000 };

  test.each([
    ['a busy endpoint', 1000, true, 0, 50],
    ['an endpoint that has become idle', 50, false, 0, 100],
    ['an idle endpoint, later', 400, false, 0, 800],
    ['an idle endpoint, at last', 800, false, 0, 1000],
    ['a failing endpoint, busy or not', 50, true, 1, 100],
    ['an endpoint that fails for long', 1000, false, 9, 1000],
  ])('%s', (_, lastMs, isBusy, failures, expected) => {
    expect(nextIntervalMs(lastMs, isBusy, failures, intervals)).toBe(expected);
  });

  test('a busy interval above the idle one is kept', () => {
    expect(nextIntervalMs(2000, false, 0, { busyMs: 2000, idleMs: 1000 })).toBe(2000);
  });

  test('jitter spreads by a tenth to both sides', () => {
    expect([0, 0.5, 1].map((chance) => withJitterMs(100, chance))).toEqual([90, 100, expect.closeTo(110, 9)]);
  });
});
