import { readFileSync } from 'node:fs';
import { ConfigCode } from '../../picker-config/codes';
import { parseDurationMs } from '../../picker-config/units';
import type { PluginParameters } from '../scheduling/plugin-parameters';
import { ENGINE_METRICS, type EngineMetrics, type MetricSpec } from './engine-metrics';
import { DEFAULT_ENGINE_SELECTOR, type EngineSelector } from './engine-selector';
import { DEFAULT_SCRAPE_INTERVALS } from './scrape-interval';
import type { GpuScrapeOptions, ScraperOptions, ScrapeTls } from './scrape-protocol';

export const METRICS_SOURCE_TYPE = 'metrics-data-source';
export const CORE_METRICS_EXTRACTOR_TYPE = 'core-metrics-extractor';
export const DCGM_SOURCE_TYPE = 'dcgm-data-source';
export const DCGM_EXTRACTOR_TYPE = 'dcgm-extractor';

export const DEFAULT_SCRAPER_OPTIONS: ScraperOptions = {
  intervals: DEFAULT_SCRAPE_INTERVALS,
  timeoutMs: 1000,
  maxPageBytes: 8 << 20,
  path: '/metrics',
  tls: undefined,
};

/**
 * Parameters of llm-d's `metrics-data-source`: `scheme` (http), `path` (/metrics), `interval` (50ms), `insecureSkipVerify` (true),
 * `caCertPath`, `clientCertPath`, `clientKeyPath`. The interval is that of a busy endpoint; an idle one is asked less often.
 * @param intervalMs from the flag `--refresh-metrics-interval`; the parameter wins
 */
export function scraperOptions(parameters: PluginParameters, intervalMs = DEFAULT_SCRAPE_INTERVALS.busyMs): ScraperOptions {
  const scheme = parameters.oneOf('scheme', ['http', 'https'], 'http');
  const path = pathOf(parameters);
  const busyMs = intervalOf(parameters, intervalMs, '50ms');
  const verify = !parameters.boolean('insecureSkipVerify', true);
  const files = { ca: 'caCertPath', cert: 'clientCertPath', key: 'clientKeyPath' } as const;
  const tls: { -readonly [K in keyof ScrapeTls]: ScrapeTls[K] } = { verify };
  for (const [field, key] of Object.entries(files) as [keyof typeof files, string][]) {
    const file = parameters.text(key, undefined);
    const text = file === undefined ? undefined : readPem(parameters, key, file);
    if (text !== undefined) tls[field] = text;
    if (file !== undefined && scheme === 'http') fault(parameters, key, file, 'only together with scheme: https');
  }
  parameters.done();
  return {
    ...DEFAULT_SCRAPER_OPTIONS,
    path,
    intervals: { busyMs, idleMs: Math.max(busyMs, DEFAULT_SCRAPE_INTERVALS.idleMs) },
    tls: scheme === 'https' ? tls : undefined,
  };
}

/**
 * Parameters of llm-d's `dcgm-data-source`: `scheme` (http), `path` (/metrics), `port` (9400), `insecureSkipVerify` (true),
 * `useNodeAddress` (false); and `interval` (1s), because exporters measure no more often than that.
 */
export function gpuScrapeOptions(parameters: PluginParameters): GpuScrapeOptions {
  const scheme = parameters.oneOf('scheme', ['http', 'https'], 'http');
  const verify = !parameters.boolean('insecureSkipVerify', true);
  const options = {
    port: parameters.integer('port', 9400, { min: 1, max: 65_535 }),
    path: pathOf(parameters),
    tls: scheme === 'https' ? { verify } : undefined,
    usesNodeAddress: parameters.boolean('useNodeAddress', false),
    intervalMs: intervalOf(parameters, 1_000, '1s'),
  };
  parameters.done();
  return options;
}

function pathOf(parameters: PluginParameters): string {
  const path = parameters.text('path', DEFAULT_SCRAPER_OPTIONS.path);
  if (!/^\/[!-~]*$/.test(path)) fault(parameters, 'path', path, "a path that begins with '/', without blanks");
  return path;
}

function intervalOf(parameters: PluginParameters, fallbackMs: number, example: string): number {
  const interval = parameters.value('interval');
  const intervalMs = interval === undefined ? fallbackMs : (parseDurationMs(String(interval)) ?? 0);
  if (intervalMs < 1) fault(parameters, 'interval', interval, `a duration of at least 1ms, such as '${example}'`);
  return intervalMs;
}

/**
 * Parameters of llm-d's `core-metrics-extractor`: `engineLabelKey`, `defaultEngine` (vllm), and `engineConfigs`, each with `name`,
 * `queuedRequestsSpec`, `runningRequestsSpec`, `kvUsageSpec`, `loraSpec`, `cacheInfoSpec` with `cacheBlockSizeLabelName` and
 * `cacheNumBlocksLabelName`, or `cacheBlockSizeSpec` with `cacheNumBlocksSpec`. A spec is `name` or `name{label=value,…}`.
 */
export function engineSelector(parameters: PluginParameters): EngineSelector {
  const label = parameters.text('engineLabelKey', undefined);
  const engines = new Map(ENGINE_METRICS);
  const configs = parameters.value('engineConfigs') ?? [];
  if (Array.isArray(configs)) {
    configs.forEach((config: unknown, i) => {
      addEngine(engines, config, (key, value, allowed) => fault(parameters, `engineConfigs[${i}]${key}`, value, allowed));
    });
  } else {
    fault(parameters, 'engineConfigs', configs, 'a list of engines');
  }
  const defaultEngine = parameters.text('defaultEngine', DEFAULT_ENGINE_SELECTOR.defaultEngine);
  if (!engines.has(defaultEngine)) fault(parameters, 'defaultEngine', defaultEngine, [...engines.keys()].join(', '));
  parameters.done();
  return { labels: label === undefined ? DEFAULT_ENGINE_SELECTOR.labels : [label], defaultEngine, engines };
}

const SPEC_KEYS = [
  'queuedRequestsSpec',
  'runningRequestsSpec',
  'kvUsageSpec',
  'loraSpec',
  'cacheInfoSpec',
  'cacheBlockSizeSpec',
  'cacheNumBlocksSpec',
] as const;
const LABEL_KEYS = ['cacheBlockSizeLabelName', 'cacheNumBlocksLabelName'] as const;
const ENGINE_KEYS: readonly string[] = ['name', ...SPEC_KEYS, ...LABEL_KEYS];

type Refuse = (key: string, value: unknown, allowed: string) => void;

function addEngine(engines: Map<string, EngineMetrics>, config: unknown, refuse: Refuse): void {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    refuse('', config, 'an engine with a name and specs');
    return;
  }
  const given = config as Record<string, unknown>;
  for (const key of Object.keys(given))
    if (!ENGINE_KEYS.includes(key)) refuse(`.${key}`, given[key], `the keys ${ENGINE_KEYS.join(', ')}`);
  const text = (key: string): string | undefined => {
    const value = given[key];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string') return value;
    refuse(`.${key}`, value, 'a text');
    return undefined;
  };
  const spec = (key: (typeof SPEC_KEYS)[number]): MetricSpec | undefined => {
    const value = text(key);
    const parsed = value === undefined ? undefined : parseMetricSpec(value);
    if (value !== undefined && parsed === undefined) refuse(`.${key}`, value, "a metric, 'name' or 'name{label=value}'");
    return parsed;
  };
  const name = text('name');
  if (name === undefined) refuse('.name', given['name'], "the engine label's value");
  const specs = Object.fromEntries(SPEC_KEYS.map((key) => [key, spec(key)])) as Record<
    (typeof SPEC_KEYS)[number],
    MetricSpec | undefined
  >;
  const [blockSizeLabel, numBlocksLabel] = LABEL_KEYS.map(text);
  engines.set(name ?? '', {
    waiting: specs.queuedRequestsSpec,
    running: specs.runningRequestsSpec,
    kvUsage: specs.kvUsageSpec === undefined ? [] : [specs.kvUsageSpec],
    adapters: specs.loraSpec,
    cacheInfo:
      specs.cacheBlockSizeSpec !== undefined && specs.cacheNumBlocksSpec !== undefined
        ? { kind: 'values', blockSize: specs.cacheBlockSizeSpec, numBlocks: specs.cacheNumBlocksSpec }
        : specs.cacheInfoSpec !== undefined
          ? {
              kind: 'labels',
              metric: specs.cacheInfoSpec,
              blockSizeLabel: blockSizeLabel ?? 'block_size',
              numBlocksLabel: numBlocksLabel ?? 'num_gpu_blocks',
            }
          : undefined,
  });
}

/** `name` or `name{label=value,label2="value2"}`; undefined when it is neither. */
export function parseMetricSpec(text: string): MetricSpec | undefined {
  const match = /^\s*([a-zA-Z_:][\w:]*)\s*(?:\{([^{}]*)\})?\s*$/.exec(text);
  if (match === null) return undefined;
  const [, name, list = ''] = match;
  const labels: Record<string, string> = {};
  for (const pair of list.split(',')) {
    if (pair.trim() === '') continue;
    const parts = /^\s*([a-zA-Z_]\w*)\s*=\s*(?:"([^"]*)"|([^"]*?))\s*$/.exec(pair);
    if (parts === null) return undefined;
    labels[parts[1]!] = parts[2] ?? parts[3]!;
  }
  return Object.keys(labels).length === 0 ? { name: name! } : { name: name!, labels };
}

function readPem(parameters: PluginParameters, key: string, file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
    fault(parameters, key, file, 'a file in PEM format');
  } catch (error) {
    parameters.fault(key, {
      code: ConfigCode.UNUSABLE_FILE,
      what: `the file of parameter '${key}' cannot be read: ${(error as Error).message}`,
      value: file,
      fix: 'mount the file, or correct the path',
    });
  }
  return undefined;
}

function fault(parameters: PluginParameters, key: string, value: unknown, allowed: string): void {
  parameters.fault(key, {
    code: ConfigCode.BAD_VALUE,
    what: `parameter '${key}' has a wrong value`,
    value,
    allowed,
    fix: 'correct the value, or remove it for the default',
  });
}
