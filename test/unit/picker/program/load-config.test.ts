import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { type LoadResult, loadConfig } from '../../../../src/picker/program/load-config';
import { HEADERS_ARE_BELIEVED } from '../../../../src/picker/program/queue-rules';
import { programSettings } from '../../../../src/picker/program/settings';
import { parseFlags } from '../../../../src/picker-config/flag-parser';
import { ManualClock } from '../../../../src/shared/clock';
import { formatProblem } from '../../../../src/shared/problem';
import { SeededRandom } from '../../../../src/shared/random';

const HEAD = 'apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n';
const FILES = 'plugins: [{name: f, type: file-discovery, parameters: {path: e.yaml}}]\n';
const DISCOVERY = 'dataLayer: {discovery: {pluginRef: f}}\n';

function load(text: string | undefined, ...flags: string[]): LoadResult {
  const argv = ['--pool-name=p', ...(text === undefined ? [] : ['--config-text', text]), ...flags];
  const { settings } = programSettings(parseFlags(argv).values, undefined);
  return loadConfig(settings, { source: new EndpointStore(), clock: new ManualClock(), random: new SeededRandom(1) });
}

const faults = (result: LoadResult): string[] => result.problems.map(formatProblem);

test('a configuration that names no profile gets a default one, and metrics are read', () => {
  const { loaded, problems, notices } = load(HEAD + FILES + DISCOVERY);
  expect(problems).toEqual([]);
  expect(notices).toEqual([]);
  expect(loaded).toMatchObject({ pools: [{ discovery: { kind: 'file', path: 'e.yaml', watch: false } }] });
  expect(loaded!.scraping!.options).toMatchObject({ path: '/metrics', intervals: { busyMs: 50 } });
  expect(loaded!.scheduler.newRecord().names.scorers).toEqual(['expected-cost-scorer']);
});

describe('GPUs', () => {
  const EXPERIMENTAL = '--allow-experimental-plugins';
  const plugins = (parameters: object): string =>
    `plugins: [{name: gpu, type: dcgm-data-source, parameters: ${JSON.stringify(parameters)}}, {name: read, type: dcgm-extractor}, ` +
    '{type: metrics-data-source, parameters: {path: /m}}, {type: core-metrics-extractor}]\n';
  const sources = (...extractors: string[]): string =>
    `dataLayer: {sources: [{pluginRef: gpu, extractors: [${extractors.map((name) => `{pluginRef: ${name}}`)}]}, ` +
    '{pluginRef: metrics-data-source, extractors: [{pluginRef: core-metrics-extractor}]}]}\n';

  test('are asked for where a source and an extractor say so, beside the engines, whatever the order', () => {
    const { loaded, problems } = load(HEAD + plugins({ useNodeAddress: true }) + sources('read'), EXPERIMENTAL);
    expect(problems).toEqual([]);
    expect(loaded!.scraping!.options).toMatchObject({
      path: '/m',
      scrapesEngines: true,
      gpu: { port: 9400, path: '/metrics', tls: undefined, usesNodeAddress: true, intervalMs: 1_000 },
    });
  });

  test('may be all that is asked for', () => {
    const only = 'dataLayer: {injectDefaults: false, sources: [{pluginRef: gpu, extractors: [{pluginRef: read}]}]}\n';
    const parameters = { port: 9401, scheme: 'https', insecureSkipVerify: false, interval: '5s', path: '/gpu' };
    const { loaded } = load(HEAD + plugins(parameters) + only, EXPERIMENTAL);
    expect(loaded!.scraping!.options).toMatchObject({
      scrapesEngines: false,
      gpu: { port: 9401, path: '/gpu', tls: { verify: true }, usesNodeAddress: false, intervalMs: 5_000 },
    });
  });

  test('are not asked for in vain', () => {
    const found = (text: string): string[] => faults(load(HEAD + text, EXPERIMENTAL));
    expect(found(plugins({}) + sources())).toEqual([
      expect.stringMatching(
        /AIG504 nothing reads what the source 'gpu' asks for \(allowed: an extractor of type dcgm-extractor\)/,
      ),
    ]);
    expect(found(plugins({}) + sources('core-metrics-extractor'))).toHaveLength(1);
    expect(found(plugins({ port: 0, interval: 'soon' }) + sources('read'))).toEqual([
      expect.stringContaining('got 0; allowed: a whole number from 1 to 65535'),
      expect.stringContaining("'interval' has a wrong value (got 'soon'"),
    ]);
    expect(faults(load(HEAD + plugins({}) + sources('read'))).join()).toContain("'dcgm-data-source' is Alpha");
  });
});

test('queue and scheduler believe reports for as long', () => {
  const trust = { graceMs: 100, graceIntervals: 1, halfLifeMs: 300 };
  const plugins = `plugins: [{type: report-trust, parameters: ${JSON.stringify(trust)}}]\n`;
  const { loaded, problems } = load(`${HEAD}featureGates: [flowControl]\n${plugins}`);
  expect(problems).toEqual([]);
  expect([loaded!.scheduler.trust, loaded!.queues.settings!.trust]).toEqual([trust, trust]);
});

test.each<[string, string | undefined, string[], object]>([
  [
    'no configuration: the InferencePool of the flags',
    undefined,
    ['--pool-name=p', '--pool-namespace=ai', '--pool-group=inference.networking.x-k8s.io'],
    { kind: 'inferencePool', name: 'p', namespace: 'ai', group: 'inference.networking.x-k8s.io' },
  ],
  [
    'pods by label',
    `${HEAD}`,
    ['--endpoint-selector=app=a,tier=b', '--endpoint-target-ports=8000,8001'],
    { kind: 'selector', namespace: 'default', matchLabels: { app: 'a', tier: 'b' }, ports: [8000, 8001] },
  ],
  [
    'a discovery of the configuration goes first',
    HEAD + FILES + DISCOVERY,
    ['--pool-name=p'],
    { kind: 'file', path: 'e.yaml', watch: false },
  ],
])('endpoints are found by %s', (_, text, flags, discovery) => {
  const { settings, problems } = programSettings(
    parseFlags([...(text === undefined ? [] : ['--config-text', text]), ...flags]).values,
    undefined,
  );
  expect(problems).toEqual([]);
  const { loaded } = loadConfig(settings, { source: new EndpointStore(), clock: new ManualClock(), random: new SeededRandom(1) });
  expect(loaded!.pools.map((pool) => pool.discovery)).toEqual([discovery]);
});

test('the interval of the flag is that of the scraper', () => {
  expect(load(HEAD + FILES + DISCOVERY, '--refresh-metrics-interval=200ms').loaded!.scraping!.options.intervals.busyMs).toBe(200);
});

test('without a source, and without defaults, nothing is scraped', () => {
  const { loaded } = load(`${HEAD}${FILES}dataLayer: {injectDefaults: false, discovery: {pluginRef: f}}`);
  expect(loaded!.scraping).toBeUndefined();
});

test('parameters of the metrics source are used', () => {
  const text = `${HEAD}plugins: [{name: f, type: file-discovery, parameters: {path: e.yaml}}, {type: metrics-data-source, parameters: {path: /m}}]
dataLayer: {discovery: {pluginRef: f}, sources: [{pluginRef: metrics-data-source, extractors: []}]}`;
  expect(load(text).loaded!.scraping!.options.path).toBe('/m');
});

test('plugins that only queued requests need are accepted, and the log says when nobody queues', () => {
  const text = `${HEAD}${FILES.replace('}}]', '}}, {type: fcfs-ordering-policy}, {type: utilization-detector}]')}${DISCOVERY}`;
  const { loaded, notices } = load(text);
  expect(loaded).toBeDefined();
  expect(notices).toEqual([
    "plugin 'fcfs-ordering-policy' (fcfs-ordering-policy) has no effect: feature gate 'flowControl' is off",
  ]);
  const gated = text.replace('plugins:', 'featureGates: [flowControl]\nplugins:');
  expect(load(gated).notices).toEqual([HEADERS_ARE_BELIEVED]);
  expect(load(gated, '--trust-objective-headers=false').notices).toEqual([]);
});

test('the data layer has a key that tells its changes from those of scheduling', () => {
  const key = (text: string): string => load(text).loaded!.dataLayerKey;
  const first = key(HEAD + FILES + DISCOVERY);
  const scorer = FILES.replace('}}]', '}}, {type: queue-scorer}]');
  expect(key(HEAD + scorer + DISCOVERY)).toBe(first);
  expect(key(HEAD + FILES.replace('e.yaml', 'f.yaml') + DISCOVERY)).not.toBe(first);
});

test.each([
  [
    'discovery without a path',
    `${HEAD}plugins: [{name: f, type: file-discovery}]\n${DISCOVERY}`,
    ["AIG504 plugin type 'file-discovery' needs the parameter 'path'"],
  ],
  [
    'a parameter that discovery lacks',
    `${HEAD}${FILES.replace('path: e.yaml', 'path: e.yaml, watch: true')}${DISCOVERY}`,
    ["did you mean 'watchFile'?", ':3:77]'],
  ],
  [
    'peers',
    `${HEAD}${FILES}dataLayer: {discovery: {pluginRef: f}, peerDiscovery: {pluginRef: f}}`,
    ['AIG513 dataLayer.peerDiscovery is not read: replicas find each other by --peers'],
  ],
  [
    'another replica store',
    `${HEAD}plugins: [{name: f, type: file-discovery, parameters: {path: e}}, {type: local-syncer}]\ndataLayer: {discovery: {pluginRef: f}, crossReplicaSyncerPluginRef: local-syncer}`,
    ["'local-syncer' is not supported", 'replicas tell each other without a plugin'],
  ],
])('%s is refused', (_, text, messages) => {
  const result = load(text);
  expect(result.loaded).toBeUndefined();
  for (const message of messages) expect(faults(result)).toContainEqual(expect.stringContaining(message));
});

test('faults of the syntax, the types, the parameters and the policy are found in one go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  const policy = join(folder, 'policy.yaml');
  writeFileSync(policy, 'apiVersion: cdk8s-ai-gateway.dev/v1alpha1\nkind: PickerPolicy\ndefaultModel: x\n');
  const text = `${HEAD}unknown: 1\nplugins: [{name: f, type: file-discovery, parameters: {path: e}}, {type: latency-scorer}, {type: queue-scorer, parameters: {x: 1}}]\n${DISCOVERY}`;
  const found = faults(load(text, '--policy-file', policy));
  rmSync(folder, { recursive: true });
  expect(found.map((fault) => fault.slice(0, 6)).sort()).toEqual(['AIG502', 'AIG502', 'AIG506', 'AIG508']);
});

describe('a policy with pools', () => {
  const folder = mkdtempSync(join(tmpdir(), 'policy-'));
  const policy = join(folder, 'policy.yaml');
  afterAll(() => rmSync(folder, { recursive: true }));

  function loadPools(pools: string, ...flags: string[]): LoadResult {
    return loadModels(pools, '[{name: m, targets: [{pool: a}]}]', ...flags);
  }

  function loadModels(pools: string, models: string, ...flags: string[]): LoadResult {
    const head = 'apiVersion: cdk8s-ai-gateway.dev/v1alpha1\nkind: PickerPolicy\n';
    writeFileSync(policy, `${head}pools: ${pools}\nmodels: ${models}\n`);
    const { settings } = programSettings(parseFlags(['--policy-file', policy, ...flags]).values, undefined);
    return loadConfig(settings, { source: new EndpointStore(), clock: new ManualClock(), random: new SeededRandom(1) });
  }

  test('needs no --pool-name and no discovery in the configuration', () => {
    const { loaded, problems } = loadPools(
      '[{name: a, endpoints: {file: {path: a.yaml}}}, {name: b, endpoints: {file: {path: b.yaml}}}]',
    );
    expect(problems).toEqual([]);
    expect(loaded!.pools.map(({ name, isNamed }) => [name, isNamed])).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });

  test('with models that rank differently has a band for each rank', () => {
    const models = '[{name: m, targets: [{pool: a}]}, {name: batch, priority: -10, targets: [{pool: a}]}]';
    const { loaded, notices } = loadModels('[{name: a, endpoints: {file: {path: a.yaml}}}]', models);
    const { settings } = loaded!.queues;
    expect(settings).toMatchObject({ queues: true, maxBytes: 2 ** 29, waitingRoom: { maxRequests: 1_000, queueMs: 60_000 } });
    expect(settings!.bands.map(({ name, busyCeiling }) => [name, busyCeiling])).toEqual([
      ['priority-0', 0.9],
      ['priority--10', 0.8],
    ]);
    expect(notices).toEqual([]);
  });

  test('whose models rank equally has no flow control', () => {
    const { loaded } = loadModels('[{name: a, endpoints: {file: {path: a.yaml}}}]', '[{name: m, targets: [{pool: a}]}]');
    expect(loaded!.queues.settings).toBeUndefined();
  });

  test('and flow control of both kinds is refused', () => {
    const models = '[{name: m, targets: [{pool: a}]}]\npriorities: {bands: [{name: x, priority: 0}]}';
    const text = `${HEAD}featureGates: [flowControl]\n`;
    const result = loadModels('[{name: a, endpoints: {file: {path: a.yaml}}}]', models, '--config-text', text);
    expect(faults(result)).toEqual([expect.stringContaining('AIG510 flow control is configured twice')]);
  });

  test('find their endpoints in any way that a policy names, in the namespace of the flags where it names none', () => {
    const { loaded, problems } = loadPools(
      `[{name: a, endpoints: {inferencePool: {name: p}}},
        {name: b, endpoints: {inferencePool: {name: p, namespace: other, group: inference.networking.x-k8s.io}}},
        {name: c, endpoints: {selector: {matchLabels: {app: x}, ports: [8000]}}},
        {name: d, endpoints: {dns: {host: x.ai.svc, ports: [8000]}}}]`,
      '--pool-namespace=ai',
    );
    expect(problems).toEqual([]);
    expect(loaded!.pools.map(({ discovery }) => discovery)).toEqual([
      { kind: 'inferencePool', name: 'p', namespace: 'ai', group: 'inference.networking.k8s.io' },
      { kind: 'inferencePool', name: 'p', namespace: 'other', group: 'inference.networking.x-k8s.io' },
      { kind: 'selector', matchLabels: { app: 'x' }, ports: [8000], namespace: 'ai' },
      { kind: 'dns', host: 'x.ai.svc', ports: [8000] },
    ]);
  });

  test.each([
    [
      'a group that no pool has',
      '[{name: a, endpoints: {inferencePool: {name: p, group: example.com}}}]',
      'inference.networking.k8s.io',
    ],
    ['no label', '[{name: a, endpoints: {selector: {matchLabels: {}, ports: [1]}}}]', 'give at least one entry'],
  ])('with %s are refused', (_, pools, words) => {
    expect(faults(loadPools(pools))).toEqual([expect.stringContaining(words)]);
  });

  test('and --pool-name at once are refused', () => {
    const result = loadPools('[{name: a, endpoints: {file: {path: a.yaml}}}]', '--pool-name=p');
    expect(faults(result)).toEqual([expect.stringContaining('AIG523 --pool-name names one pool and the policy names its own')]);
  });
});

test('a picker without any pool is refused', () => {
  const { settings } = programSettings(parseFlags([]).values, undefined);
  const result = loadConfig(settings, { source: new EndpointStore(), clock: new ManualClock(), random: new SeededRandom(1) });
  expect(faults(result)).toContainEqual(
    expect.stringContaining('AIG523 no pool is named: set --pool-name, or --endpoint-selector, or'),
  );
});
