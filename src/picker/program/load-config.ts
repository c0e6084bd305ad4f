import { checkPlugins } from '../../picker-config/check-plugins';
import { ConfigCode } from '../../picker-config/codes';
import {
  CONFIG_API_VERSION,
  CONFIG_KIND,
  type DataSourceSpec,
  type EndpointPickerConfig,
} from '../../picker-config/endpoint-picker-config';
import { parseEndpointPickerConfig } from '../../picker-config/endpoint-picker-config-parser';
import type { PickerPolicy } from '../../picker-config/picker-policy';
import { parsePickerPolicy } from '../../picker-config/picker-policy-parser';
import type { Problem } from '../../shared/problem';
import { FLOW_CONTROL_PLUGINS } from '../flow-control/llmd-settings';
import type { EngineSelector } from '../metrics-scraper/engine-selector';
import { DEFAULT_ENGINE_SELECTOR } from '../metrics-scraper/engine-selector';
import type { GpuScrapeOptions, ScraperOptions } from '../metrics-scraper/scrape-protocol';
import {
  CORE_METRICS_EXTRACTOR_TYPE,
  DCGM_EXTRACTOR_TYPE,
  DCGM_SOURCE_TYPE,
  engineSelector,
  gpuScrapeOptions,
  METRICS_SOURCE_TYPE,
  scraperOptions,
} from '../metrics-scraper/scraper-parameters';
import { PluginParameters } from '../scheduling/plugin-parameters';
import { SCHEDULING_PLUGINS } from '../scheduling/plugin-registry';
import type { Scheduler } from '../scheduling/scheduler';
import {
  buildScheduler,
  DEFAULT_SCHEDULING,
  type SchedulerDependencies,
  type SchedulingConfig,
} from '../scheduling/scheduler-builder';
import { readText } from '../server/watched-file';
import { type DiscoverySettings, type PoolPlan, policyPools } from './pool-plan';
import { type QueueRules, queueNotices, queueRules } from './queue-rules';
import type { ProgramSettings } from './settings';
import { PROGRAM_PLUGINS, unsupportedParts } from './unsupported';

/** A configuration that the program can run by. */
export interface LoadedConfig {
  readonly scheduler: Scheduler;
  /** At least one. */
  readonly pools: readonly PoolPlan[];
  /** Undefined for one pool that serves whatever it is asked for. */
  readonly policy: PickerPolicy | undefined;
  readonly queues: QueueRules;
  /** Undefined when the configuration names no source of metrics. */
  readonly scraping: { readonly options: ScraperOptions; readonly engines: EngineSelector } | undefined;
  /** The same for two configurations that find and watch endpoints in the same way. */
  readonly dataLayerKey: string;
}

export interface LoadResult {
  /** Undefined when there are problems. */
  readonly loaded: LoadedConfig | undefined;
  readonly problems: readonly Problem[];
  /** Deprecated spellings. */
  readonly warnings: readonly Problem[];
  /** Parts that are accepted and have no effect. */
  readonly notices: readonly string[];
}

const SUPPORTED: readonly string[] = [...SCHEDULING_PLUGINS.keys(), ...PROGRAM_PLUGINS, ...FLOW_CONTROL_PLUGINS];

/** Reads the files that the settings name, builds the scheduler, and finds all faults. @param read text of a file */
export function loadConfig(
  settings: ProgramSettings,
  dependencies: Omit<SchedulerDependencies, 'locate'>,
  read: typeof readText = readText,
): LoadResult {
  const problems: Problem[] = [];
  const policy = loadPolicy(settings, problems, read);
  const source = configText(settings, read);
  if ('problem' in source) return { loaded: undefined, problems: [source.problem, ...problems], warnings: [], notices: [] };

  const { draft: config, locate, warnings, problems: faults } = parseEndpointPickerConfig(source.text, source.name);
  problems.push(...faults);
  if (config === undefined) return { loaded: undefined, problems, warnings, notices: [] };

  const supported = new Set([...SUPPORTED, ...(dependencies.custom ?? []).map(({ type }) => type)]);
  problems.push(...checkPlugins(config, { supported, allowExperimental: settings.allowExperimental }, locate));
  problems.push(...unsupportedParts(config, locate));
  const parts = new DataLayerParts(config, locate, problems);
  // a broken policy says enough
  const isPolicyBroken = settings.policyFile !== undefined && policy === undefined;
  const isOnePool = policy === undefined || policy.pools.length === 0;
  const pools = isOnePool
    ? isPolicyBroken
      ? []
      : onePool(settings, config, parts, problems)
    : policyPools(policy, settings.poolNamespace);
  const scraping = parts.scraping(settings.scrapeIntervalMs);
  const { scheduler, problems: buildFaults } = buildScheduler(schedulingOf(config), { ...dependencies, locate });
  problems.push(...buildFaults);
  const inProfiles = new Set(config.schedulingProfiles.flatMap((profile) => profile.plugins.map(({ pluginRef }) => pluginRef)));
  const queues = queueRules(policy, config, locate, problems, scheduler?.trust);
  const notices = queueNotices(policy, config, inProfiles, settings.trustsHeaders);
  if (problems.length > 0 || scheduler === undefined || pools.length === 0)
    return { loaded: undefined, problems, warnings, notices };
  const { dataLayer, plugins } = config;
  const dataLayerKey = JSON.stringify([dataLayer, plugins.filter(({ type }) => PROGRAM_PLUGINS.includes(type)), pools]);
  return { loaded: { scheduler, pools, policy, queues, scraping, dataLayerKey }, problems, warnings, notices };
}

function configText({ config }: ProgramSettings, read: typeof readText): { text: string; name: string } | { problem: Problem } {
  // an empty configuration, so that the message about what it lacks is the same
  if (config.kind === 'none')
    return { text: `apiVersion: ${CONFIG_API_VERSION}\nkind: ${CONFIG_KIND}\n`, name: 'no --config-file' };
  if (config.kind === 'text') return { text: config.text, name: '--config-text' };
  const file = read(config.path);
  return 'text' in file
    ? { text: file.text, name: config.path }
    : { problem: unreadable('--config-file', file.error, config.path) };
}

/** The policy, if one is named and can be followed; its faults go to `problems`. */
function loadPolicy({ policyFile, pool }: ProgramSettings, problems: Problem[], read: typeof readText): PickerPolicy | undefined {
  if (policyFile === undefined) return undefined;
  const file = read(policyFile);
  if ('error' in file) {
    problems.push(unreadable('--policy-file', file.error, policyFile));
    return undefined;
  }
  const { policy, problems: faults, locate } = parsePickerPolicy(file.text, policyFile);
  problems.push(...faults);
  if (policy === undefined) return undefined;
  if (policy.pools.length > 0 && pool !== undefined) {
    problems.push({
      code: ConfigCode.FLAG_COMBINATION,
      what: `--${pool.flag} names one pool and the policy names its own`,
      value: pool.name,
      fix: `remove --${pool.flag}, or the pools of the policy`,
      where: locate('pools'),
    });
  }
  return policy;
}

/** The pool of the flags. Its endpoints are found as the configuration says, or else through the Kubernetes API. */
function onePool(
  { pool }: ProgramSettings,
  config: EndpointPickerConfig,
  parts: DataLayerParts,
  problems: Problem[],
): PoolPlan[] {
  if (pool === undefined) {
    problems.push({
      code: ConfigCode.FLAG_COMBINATION,
      what: 'no pool is named',
      fix: 'set --pool-name, or --endpoint-selector, or --policy-file with a policy that has pools',
    });
  }
  const discovery = config.dataLayer.discovery === undefined ? pool?.discovery : parts.discovery();
  return pool === undefined || discovery === undefined ? [] : [{ name: pool.name, discovery, isNamed: false }];
}

function unreadable(flag: string, error: string, where: string): Problem {
  return {
    code: ConfigCode.SYNTAX,
    what: `the file of ${flag} cannot be read: ${error}`,
    fix: 'correct the path or mount the file',
    where,
  };
}

/** The configuration's own profiles, or this picker's default when it names none; plugins of the default may be given parameters. */
function schedulingOf(config: EndpointPickerConfig): SchedulingConfig {
  if (config.schedulingProfiles.length > 0) return config;
  const named = new Set(config.plugins.map(({ name }) => name));
  return {
    plugins: [...config.plugins, ...DEFAULT_SCHEDULING.plugins.filter(({ name }) => !named.has(name))],
    schedulingProfiles: DEFAULT_SCHEDULING.schedulingProfiles,
  };
}

class DataLayerParts {
  public constructor(
    private readonly config: EndpointPickerConfig,
    private readonly locate: (path: string) => string,
    private readonly problems: Problem[],
  ) {}

  public discovery(): DiscoverySettings | undefined {
    const parameters = this.parametersOf(this.config.dataLayer.discovery, 'file-discovery');
    if (parameters === undefined) return undefined;
    const path = parameters.text('path', undefined);
    const watch = parameters.boolean('watchFile', false);
    parameters.done();
    if (path !== undefined) return { kind: 'file', path, watch };
    if (parameters.value('path') === undefined) {
      parameters.fault('path', {
        code: ConfigCode.MISSING_KEY,
        what: "plugin type 'file-discovery' needs the parameter 'path'",
        fix: 'give the path of the endpoints file',
      });
    }
    return undefined;
  }

  public scraping(intervalMs: number): LoadedConfig['scraping'] {
    const source = this.sourceOf(METRICS_SOURCE_TYPE);
    const gpu = this.gpuScraping();
    const scrapesEngines = source !== undefined || this.config.dataLayer.injectDefaults;
    if (!scrapesEngines && gpu === undefined) return undefined;
    const sourceParameters = this.parametersOf(source?.pluginRef, METRICS_SOURCE_TYPE);
    const options = scraperOptions(sourceParameters ?? this.noParameters(METRICS_SOURCE_TYPE), intervalMs);
    const extractorParameters = this.parametersOf(source?.extractors[0], CORE_METRICS_EXTRACTOR_TYPE);
    return {
      options: { ...options, scrapesEngines, ...(gpu === undefined ? {} : { gpu }) },
      engines: extractorParameters === undefined ? DEFAULT_ENGINE_SELECTOR : engineSelector(extractorParameters),
    };
  }

  private gpuScraping(): GpuScrapeOptions | undefined {
    const source = this.sourceOf(DCGM_SOURCE_TYPE);
    const parameters = this.parametersOf(source?.pluginRef, DCGM_SOURCE_TYPE);
    if (source === undefined || parameters === undefined) return undefined;
    const extractor = source.extractors
      .map((name) => this.parametersOf(name, DCGM_EXTRACTOR_TYPE))
      .find((one) => one !== undefined);
    extractor?.done();
    const options = gpuScrapeOptions(parameters);
    if (extractor !== undefined) return options;
    this.problems.push({
      code: ConfigCode.MISSING_KEY,
      what: `nothing reads what the source '${source.pluginRef}' asks for`,
      allowed: `an extractor of type ${DCGM_EXTRACTOR_TYPE}`,
      fix: 'name it among the extractors of the source',
      where: this.locate(`dataLayer.sources[${this.config.dataLayer.sources.indexOf(source)}]`),
    });
    return undefined;
  }

  private sourceOf(type: string): DataSourceSpec | undefined {
    const { dataLayer, plugins } = this.config;
    return dataLayer.sources.find(({ pluginRef }) => plugins.some((plugin) => plugin.name === pluginRef && plugin.type === type));
  }

  private parametersOf(name: string | undefined, type: string): PluginParameters | undefined {
    const index = this.config.plugins.findIndex((plugin) => plugin.name === name && plugin.type === type);
    if (name === undefined || index === -1) return undefined;
    const path = `plugins[${index}].parameters`;
    return new PluginParameters(type, this.config.plugins[index]!.parameters, path, this.locate, this.problems);
  }

  private noParameters(type: string): PluginParameters {
    return new PluginParameters(type, undefined, 'plugins', this.locate, this.problems);
  }
}
