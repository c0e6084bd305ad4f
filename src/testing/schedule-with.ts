import { Scorer } from '../constructs/values/scorer';
import { Scoring } from '../constructs/values/scoring';
import { EndpointStore } from '../picker/datastore/endpoint-store';
import type { CustomScorer } from '../picker/scheduling/interface/custom-scorer';
import { formatHostPort } from '../picker/scheduling/interface/endpoint-snapshot';
import type { SchedulingRequest } from '../picker/scheduling/interface/scheduling-request';
import { PluginFaults, shownFault } from '../picker/scheduling/plugin-faults';
import { SCHEDULING_PLUGINS } from '../picker/scheduling/plugin-registry';
import { ProfileOutcome } from '../picker/scheduling/profile';
import type { Scheduler } from '../picker/scheduling/scheduler';
import { buildScheduler, DEFAULT_SCHEDULING, type SchedulingConfig } from '../picker/scheduling/scheduler-builder';
import { checkPlugins } from '../picker-config/check-plugins';
import { EMPTY_ENDPOINT_PICKER_CONFIG } from '../picker-config/endpoint-picker-config';
import { pluginsIn } from '../picker-config/plugin-module';
import { ManualClock } from '../shared/clock';
import { formatProblem } from '../shared/problem';
import { SeededRandom } from '../shared/random';

/** An engine in a test. What is not said is idle, empty and known. */
export interface TestEndpoint {
  /** Unique. */
  readonly name: string;
  /** @default none */
  readonly labels?: { readonly [key: string]: string };
  /** Whether requests may go there. @default true */
  readonly ready?: boolean;
  /** Requests in its queue. @default 0 */
  readonly waiting?: number;
  /** Requests that it works on. @default 0 */
  readonly running?: number;
  /** Share of its KV cache in use, 0 to 1. @default 0 */
  readonly kvUsageRatio?: number;
  /** Size of its KV cache in tokens. @default unknown */
  readonly kvTokens?: number;
  /** How busy the busiest of its GPUs is, 0 to 1. @default unknown */
  readonly gpuUsageRatio?: number;
  /** Requests that the picker has under way there. @default 0 */
  readonly inFlight?: number;
  /** Prompt tokens in line there. @default 0 */
  readonly prefillTokens?: number;
  /** Tokens of answers under way there. @default 0 */
  readonly outputTokensInFlight?: number;
  /** Measured milliseconds between output tokens. @default unknown */
  readonly decodeMsPerToken?: number;
  /** False for an engine that has not reported yet. @default true */
  readonly hasReported?: boolean;
  /** Prompts that went there before, so that it has them cached; of the request's model. @default none */
  readonly seenPrompts?: readonly string[];
}

/** A request in a test. */
export interface TestRequest {
  /** As the client names it. @default 'model' */
  readonly model?: string;
  /** As the engine sees it: the base model, or an adapter. @default the model */
  readonly targetModel?: string;
  /** @default empty */
  readonly prompt?: string;
  /** By lower-case name. @default none */
  readonly headers?: { readonly [name: string]: string };
  /** The client's limit on the answer. @default none */
  readonly maxTokens?: number;
}

/** How a test schedules. */
export interface ScheduleOptions {
  /** @default every plugin with weight 1; without plugins, `Scoring.default()` */
  readonly scoring?: Scoring;
  /** Scorers of your own. @default none */
  readonly plugins?: readonly CustomScorer[];
  /** Of chance, which decides between equals. @default 1 */
  readonly seed?: number;
}

/** What a decision made of one endpoint. */
export interface ScheduledEndpoint {
  readonly name: string;
  /** `kept`, `not-ready`, or the filter that removed it. */
  readonly verdict: string;
  /** 0 to 1, by scorer. Empty unless kept. */
  readonly scores: { readonly [scorer: string]: number };
  /** By scorer. Empty unless kept. */
  readonly weights: { readonly [scorer: string]: number };
  /** Sum of weight × score. */
  readonly total: number;
  /** Whether chance decided between this one and others of the same total. */
  readonly tied: boolean;
}

/** A decision. */
export interface Scheduled {
  /** Names, best first: where the request goes, and where a retry would. Empty where no endpoint is left. */
  readonly chosen: readonly string[];
  /** Best first. */
  readonly endpoints: readonly ScheduledEndpoint[];
}

const NOW_MS = 60_000;

/**
 * Schedules one request as the picker does, with the picker's own code.
 *
 * @throws what a scorer of yours throws, and an Error for a score that is no number from 0 to 1: the picker would go on and count it
 * @throws an Error with every fault of the scoring, such as a plugin that is not there
 */
export function scheduleWith(
  endpoints: readonly TestEndpoint[],
  request: TestRequest = {},
  { scoring, plugins = [], seed = 1 }: ScheduleOptions = {},
): Scheduled {
  const store = storeOf(endpoints);
  const scheduler = schedulerOf(store, configOf(scoring, plugins), plugins, seed);
  const asked = requestOf(request);
  endpoints.forEach(({ seenPrompts = [] }, index) => {
    for (const prompt of seenPrompts) rememberPrompt(scheduler, store, index, requestOf({ ...request, prompt }));
  });
  const record = scheduler.newRecord();
  const { outcome } = scheduler.schedule(asked, record);
  const { snapshot } = store;
  const explained = record.explain(snapshot);
  const nameOf = (hostPort: string): string => endpoints[snapshot.byHostPort.get(hostPort)!]!.name;
  const chosen = explained.filter((entry) => entry.chosen !== undefined).sort((a, b) => a.chosen! - b.chosen!);
  return {
    chosen: outcome === ProfileOutcome.PICKED ? chosen.map(({ endpoint }) => nameOf(endpoint)) : [],
    endpoints: explained.map(({ endpoint, verdict, scores, weights, total, tied }) => ({
      name: nameOf(endpoint),
      verdict,
      scores,
      weights,
      total,
      tied: tied === true,
    })),
  };
}

function configOf(scoring: Scoring | undefined, plugins: readonly CustomScorer[]): SchedulingConfig {
  const { faults } = plugins.length === 0 ? { faults: [] } : pluginsIn(plugins);
  if (faults.length > 0) throw new Error(faults.map(({ what, fix }) => `${what}: ${fix}`).join('\n'));
  const config = configGiven(scoring, plugins);
  const supported = new Set([...SCHEDULING_PLUGINS.keys(), ...plugins.map(({ type }) => type)]);
  const support = { supported, allowExperimental: true };
  const problems = checkPlugins({ ...EMPTY_ENDPOINT_PICKER_CONFIG, ...config }, support, (path) => path);
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'));
  return config;
}

function configGiven(scoring: Scoring | undefined, plugins: readonly CustomScorer[]): SchedulingConfig {
  const own = plugins.length === 0 ? undefined : Scoring.of(...plugins.map(({ type }) => Scorer.custom(type)));
  return (scoring ?? own)?._config() ?? DEFAULT_SCHEDULING;
}

function schedulerOf(source: EndpointStore, config: SchedulingConfig, custom: readonly CustomScorer[], seed: number): Scheduler {
  const { scheduler, problems } = buildScheduler(config, {
    source,
    custom,
    clock: new ManualClock(NOW_MS),
    random: new SeededRandom(seed),
    faults: new PluginFaults((plugin, kind, detail) => {
      throw kind === 'throw'
        ? detail
        : new Error(`scorer '${plugin}' gave ${shownFault(detail)} (allowed: a number from 0 to 1)`);
    }),
  });
  if (scheduler === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return scheduler;
}

function addressOf(index: number): string {
  return formatHostPort(`10.0.${index >> 8}.${index & 255}`, 8000);
}

function storeOf(endpoints: readonly TestEndpoint[]): EndpointStore {
  const store = new EndpointStore();
  store.replaceAll(
    endpoints.map(({ name, labels = {}, ready = true }, index) => {
      const hostPort = addressOf(index);
      return { name, labels, ready, address: hostPort.slice(0, hostPort.lastIndexOf(':')), port: 8000, hostPort };
    }),
  );
  describeIn(store, endpoints);
  return store;
}

/** Engines of these tests have blocks of this size. */
const BLOCK_TOKENS = 16;

function describeIn({ snapshot: { table } }: EndpointStore, endpoints: readonly TestEndpoint[]): void {
  endpoints.forEach((endpoint, slot) => {
    table.waiting[slot] = endpoint.waiting ?? 0;
    table.running[slot] = endpoint.running ?? 0;
    table.kvUsageRatio[slot] = endpoint.kvUsageRatio ?? 0;
    table.gpuUsageRatio[slot] = endpoint.gpuUsageRatio ?? 0;
    table.gpuUpdatedAtMs[slot] = endpoint.gpuUsageRatio === undefined ? 0 : NOW_MS;
    table.kvBlocks[slot] = (endpoint.kvTokens ?? 0) / BLOCK_TOKENS;
    table.blockSizeTokens[slot] = endpoint.kvTokens === undefined ? 0 : BLOCK_TOKENS;
    table.inFlight[slot] = endpoint.inFlight ?? 0;
    table.prefillTokens[slot] = endpoint.prefillTokens ?? 0;
    table.promptTokensInFlight[slot] = endpoint.prefillTokens ?? 0;
    table.outputTokensInFlight[slot] = endpoint.outputTokensInFlight ?? 0;
    table.decodeMsPerToken[slot] = endpoint.decodeMsPerToken ?? 0;
    table.sinceReport[slot] = 0;
    table.updatedAtMs[slot] = endpoint.hasReported === false ? 0 : NOW_MS;
    table.scrapeIntervalMs[slot] = 50;
  });
}

function requestOf({
  model = 'model',
  targetModel = model,
  prompt = '',
  headers = {},
  maxTokens = -1,
}: TestRequest): SchedulingRequest {
  const body = Buffer.from(prompt);
  return {
    model,
    targetModel,
    body,
    promptStart: 0,
    promptEnd: body.length,
    cacheSalt: undefined,
    subset: undefined,
    maxTokens,
    header: (name) => headers[name],
  };
}

function rememberPrompt({ prefixes }: Scheduler, { snapshot }: EndpointStore, slot: number, request: SchedulingRequest): void {
  for (const prefix of prefixes.values()) {
    prefix.prepare(request, snapshot, Int32Array.of(slot), 1);
    prefix.picked(snapshot, slot);
  }
}
