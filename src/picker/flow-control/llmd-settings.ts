import type { EndpointPickerConfig, PriorityBandSpec } from '../../picker-config/endpoint-picker-config';
import { DEFAULT_BAND_MAX_BYTES, DEFAULT_BAND_MAX_REQUESTS } from '../../picker-config/endpoint-picker-config';
import type { Problem } from '../../shared/problem';
import { PluginParameters } from '../scheduling/plugin-parameters';
import { ConcurrencySaturation, UtilizationSaturation } from './llmd-saturation';
import type { BandSettings, Fairness, FlowControlSettings, Ordering, Saturation } from './settings';

const FAIRNESS: Readonly<Record<string, Fairness>> = {
  'global-strict-fairness-policy': 'none',
  'round-robin-fairness-policy': 'roundRobin',
};

const ORDERING: Readonly<Record<string, Ordering>> = {
  'fcfs-ordering-policy': 'arrival',
  'edf-ordering-policy': 'deadline',
  'slo-deadline-ordering-policy': 'slo',
};

/** Who is evicted, and in which order; both are what is done. */
const EVICTION: readonly string[] = ['sheddable-eviction-filter', 'priority-then-time-eviction-order-policy'];

const USAGE_LIMIT = 'static-usage-limit-policy';
const UTILIZATION = 'utilization-detector';
const CONCURRENCY = 'concurrency-detector';

/** llm-d's plugin types that say how requests queue, and when a pool is full. */
export const FLOW_CONTROL_PLUGINS: readonly string[] = [
  ...[...Object.keys(FAIRNESS), ...Object.keys(ORDERING)],
  ...EVICTION,
  ...[USAGE_LIMIT, UTILIZATION, CONCURRENCY],
];

/** Types of `FLOW_CONTROL_PLUGINS` that no scheduling profile uses. */
export const QUEUE_ONLY_PLUGINS: readonly string[] = FLOW_CONTROL_PLUGINS.filter(
  (type) => type !== UTILIZATION && type !== CONCURRENCY,
);

/** Bytes that may wait where `flowControl.maxBytes` does not say: bodies are held in memory. */
const MAX_BYTES = 512 * 2 ** 20;

/** What llm-d's configuration says of flow control; without its feature gate, sheddable requests are refused while the pool is full. */
export function llmdFlowControl(
  config: EndpointPickerConfig,
  locate: (path: string) => string,
  problems: Problem[],
): FlowControlSettings {
  return new Reader(config, locate, problems).settings();
}

class Reader {
  public constructor(
    private readonly config: EndpointPickerConfig,
    private readonly locate: (path: string) => string,
    private readonly problems: Problem[],
  ) {}

  public settings(): FlowControlSettings {
    const { flowControl, featureGates } = this.config;
    this.checkQueuePlugins();
    const ceiling = this.ceiling(flowControl.usageLimitPolicy);
    const listed = new Map(flowControl.priorityBands.map((band) => [band.priority, band]));
    const bandFor = (priority: number): BandSettings => {
      const template = priority < 0 ? (flowControl.defaultNegativePriorityBand ?? flowControl.defaultPriorityBand) : undefined;
      const spec = listed.get(priority) ?? template ?? flowControl.defaultPriorityBand;
      return this.band(priority, spec, ceiling);
    };
    return {
      queues: featureGates.flowControl,
      bands: [...listed.keys()].map(bandFor),
      bandFor,
      maxRequests: flowControl.maxRequests || Number.POSITIVE_INFINITY,
      maxBytes: flowControl.maxBytes || MAX_BYTES,
      // llm-d's queues are the waiting room
      waitingRoom: { maxRequests: Number.POSITIVE_INFINITY, queueMs: ttl(flowControl.noEndpointRequestTtlMs) },
      saturation: this.saturation(flowControl.saturationDetector ?? UTILIZATION),
    };
  }

  private band(priority: number, spec: PriorityBandSpec | undefined, ceiling: number): BandSettings {
    return {
      name: String(priority),
      priority,
      maxRequests: spec?.maxRequests ?? DEFAULT_BAND_MAX_REQUESTS,
      maxBytes: spec?.maxBytes ?? DEFAULT_BAND_MAX_BYTES,
      queueMs: ttl(this.config.flowControl.defaultRequestTtlMs),
      fairness: FAIRNESS[this.typeOf(spec?.fairnessPolicy) ?? ''] ?? 'none',
      ordering: ORDERING[this.typeOf(spec?.orderingPolicy) ?? ''] ?? 'arrival',
      ceiling,
      busyCeiling: ceiling,
      evicts: this.config.flowControl.enableEviction && priority < 0 ? 'running' : 'none',
    };
  }

  /** They have no parameters, but what is written there must not be overlooked. */
  private checkQueuePlugins(): void {
    for (const { name, type } of this.config.plugins) {
      if (FAIRNESS[type] !== undefined || ORDERING[type] !== undefined || EVICTION.includes(type))
        this.parameters(name, type).done();
    }
  }

  private ceiling(name: string | undefined): number {
    if (name === undefined) return 1;
    const parameters = this.parameters(name, USAGE_LIMIT);
    const threshold = parameters.number('threshold', 1, { min: 0.001 });
    parameters.done();
    return threshold;
  }

  private saturation(name: string): Saturation {
    if (this.typeOf(name) === CONCURRENCY) return this.concurrency(name);
    const parameters = this.parameters(name, UTILIZATION, []);
    const queueDepth = parameters.integer('queueDepthThreshold', 5, { min: 1 });
    const kvThreshold = parameters.number('kvCacheUtilThreshold', 0.8, { min: 0.001, max: 1 });
    return new UtilizationSaturation(queueDepth, kvThreshold);
  }

  private concurrency(name: string): Saturation {
    const parameters = this.parameters(name, CONCURRENCY, []);
    const mode = parameters.oneOf('concurrencyMode', ['requests', 'tokens', 'hybrid'], 'requests');
    const maxRequests = parameters.integer('maxConcurrency', 100, { min: 1 });
    const maxTokens = parameters.integer('maxTokenConcurrency', 1_000_000, { min: 1 });
    const producer = this.config.plugins.find(({ type }) => type === 'inflight-load-producer');
    const addsOutput = producer?.parameters?.addEstimatedOutputTokens === true;
    return new ConcurrencySaturation(
      mode === 'tokens' ? Number.POSITIVE_INFINITY : maxRequests,
      mode === 'requests' ? Number.POSITIVE_INFINITY : maxTokens,
      (table, slot) => table.prefillTokens[slot]! + (addsOutput ? table.outputTokensInFlight[slot]! : 0),
    );
  }

  private typeOf(name: string | undefined): string | undefined {
    return this.config.plugins.find((plugin) => plugin.name === name)?.type;
  }

  /** @param problems of a detector nobody hears here: the scheduler, which knows the type as a filter, reports the same */
  private parameters(name: string, type: string, problems = this.problems): PluginParameters {
    const index = this.config.plugins.findIndex((plugin) => plugin.name === name);
    const path = index < 0 ? 'plugins' : `plugins[${index}].parameters`;
    return new PluginParameters(type, this.config.plugins[index]?.parameters, path, this.locate, problems);
  }
}

/** 0 waits for ever. */
function ttl(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}
