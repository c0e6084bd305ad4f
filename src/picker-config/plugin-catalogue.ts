/** What a plugin does; some types serve as more than one kind. */
export type PluginKind =
  | 'filter'
  | 'scorer'
  | 'picker'
  | 'profile-handler'
  | 'decider'
  | 'producer'
  | 'source'
  | 'extractor'
  | 'discovery'
  | 'parser'
  | 'admitter'
  | 'screener'
  | 'reporter'
  | 'fairness'
  | 'ordering'
  | 'usage-limit'
  | 'saturation'
  | 'eviction'
  | 'syncer'
  | 'signal';

/** A plugin type of llm-d v0.10. */
export interface CataloguedPlugin {
  readonly type: string;
  readonly kinds: readonly PluginKind[];
  /** Alpha types load only with `--allow-experimental-plugins`. */
  readonly stability: 'alpha' | 'beta' | 'deprecated';
  /** What to use where this picker does not have the type. */
  readonly instead?: string;
}

const REMOVE = 'remove it';
const DISAGGREGATION = 'serve prefill and decode in one pool, or use the llm-d picker for disaggregated pools';
const MULTICLUSTER = 'use one picker per cluster, or the llm-d picker across clusters';
const KUBERNETES = 'use metrics-data-source, or file-discovery for the endpoints';
const NO_EVICTION = 'remove it: what an engine works on is not interrupted, what waits gives way without it';
const LATENCY = 'use queue-scorer and kv-cache-utilization-scorer, or the llm-d picker with its latency predictor';

type Row = readonly [type: string, kinds: string, instead?: string];

const ALPHA: readonly Row[] = [
  ['disaggregatedset-rollout-screener', 'screener', REMOVE],
  ['session-affinity-filter', 'filter'],
  ['session-affinity-scorer', 'scorer'],
  ['endpoint-attribute-filter', 'filter'],
  ['endpoint-attribute-scorer', 'scorer'],
  ['topology-affinity-filter', 'filter', 'use label-selector-filter on a topology label'],
  ['topology-affinity-scorer', 'scorer', 'use label-selector-filter on a topology label'],
  ['utilization-filter', 'filter'],
  ['header-label-affinity-scorer', 'scorer'],
  ['header-profile-handler', 'profile-handler'],
  ['topology-extractor', 'extractor', KUBERNETES],
  ['dcgm-data-source', 'source'],
  ['dcgm-extractor', 'extractor'],
  ['burst-prefix-cache-producer', 'producer', 'use approx-prefix-cache-producer'],
  ['p2p-source-producer', 'producer', DISAGGREGATION],
  ['multicluster-file-discovery', 'discovery', MULTICLUSTER],
  ['multicluster-metrics-data-source', 'source', MULTICLUSTER],
  ['multicluster-metrics-extractor', 'extractor', MULTICLUSTER],
  ['multicluster-session-affinity-filter', 'filter', MULTICLUSTER],
  ['multicluster-queue-scorer', 'scorer', MULTICLUSTER],
  ['multicluster-kv-cache-utilization-scorer', 'scorer', MULTICLUSTER],
  ['multicluster-prefix-cache-scorer', 'scorer', MULTICLUSTER],
  ['multicluster-approx-prefix-cache-producer', 'producer', MULTICLUSTER],
  ['sheddable-eviction-filter', 'eviction', NO_EVICTION],
  ['priority-then-time-eviction-order-policy', 'eviction', NO_EVICTION],
  ['priority-holdback-policy', 'usage-limit', 'use static-usage-limit-policy'],
  ['soft-reflective-ceiling-policy', 'usage-limit', 'use static-usage-limit-policy'],
  ['agent-identity', 'producer', 'send the fairness id in the header x-llm-d-inference-fairness-id'],
];

const BETA: readonly Row[] = [
  ['label-selector-filter', 'filter'],
  ['encode-filter', 'filter'],
  ['decode-filter', 'filter'],
  ['prefill-filter', 'filter'],
  ['data-parallel-profile-handler', 'profile-handler', 'list every data-parallel rank as an endpoint of its own'],
  ['single-profile-handler', 'profile-handler'],
  ['disagg-profile-handler', 'profile-handler', DISAGGREGATION],
  ['prefix-based-pd-decider', 'decider', DISAGGREGATION],
  ['always-disagg-pd-decider', 'decider', DISAGGREGATION],
  ['always-disagg-multimodal-decider', 'decider', DISAGGREGATION],
  ['load-aware-scorer', 'scorer'],
  ['context-length-aware', 'scorer filter'],
  ['prefix-cache-scorer', 'scorer'],
  ['kv-cache-utilization-scorer', 'scorer'],
  ['queue-scorer', 'scorer'],
  ['running-requests-size-scorer', 'scorer'],
  ['lora-affinity-scorer', 'scorer'],
  ['token-load-scorer', 'scorer'],
  ['no-hit-lru-scorer', 'scorer'],
  ['active-request-scorer', 'scorer'],
  ['mm-embeddings-cache-scorer', 'scorer', 'use prefix-cache-scorer'],
  ['latency-scorer', 'scorer', LATENCY],
  ['max-score-picker', 'picker'],
  ['random-picker', 'picker'],
  ['weighted-random-picker', 'picker'],
  ['prefix-cache-affinity-filter', 'filter'],
  ['slo-headroom-tier-filter', 'filter', LATENCY],
  ['header-based-testing-filter', 'filter'],
  ['latency-slo-admitter', 'admitter', LATENCY],
  ['probabilistic-admitter', 'admitter', 'remove it: this picker sheds no requests by chance'],
  ['global-strict-fairness-policy', 'fairness'],
  ['round-robin-fairness-policy', 'fairness'],
  ['program-aware-fairness', 'fairness', 'use round-robin-fairness-policy'],
  ['fcfs-ordering-policy', 'ordering'],
  ['edf-ordering-policy', 'ordering'],
  ['slo-deadline-ordering-policy', 'ordering'],
  ['static-usage-limit-policy', 'usage-limit'],
  ['utilization-detector', 'saturation filter'],
  ['concurrency-detector', 'saturation filter'],
  ['metrics-data-source', 'source'],
  ['core-metrics-extractor', 'extractor'],
  ['models-data-source', 'source', 'name the models in a PickerPolicy'],
  ['models-data-extractor', 'extractor', 'name the models in a PickerPolicy'],
  ['k8s-notification-source', 'source', KUBERNETES],
  ['endpoint-notification-source', 'source', KUBERNETES],
  ['request-attribute-reporter', 'reporter', 'use limits of a PickerPolicy for token budgets'],
  ['destination-endpoint-served-verifier', 'reporter', REMOVE],
  ['file-discovery', 'discovery'],
  ['approx-prefix-cache-producer', 'producer'],
  ['precise-prefix-cache-producer', 'producer', 'use approx-prefix-cache-producer'],
  ['token-producer', 'producer'],
  ['inflight-load-producer', 'producer'],
  ['predicted-latency-producer', 'producer', LATENCY],
  ['mm-embeddings-cache-producer', 'producer', 'use approx-prefix-cache-producer'],
  ['session-id-producer', 'producer'],
  ['openai-parser', 'parser'],
  ['anthropic-parser', 'parser'],
  ['vllmhttp-parser', 'parser', 'use openai-parser'],
  ['vllmgrpc-parser', 'parser', 'use the OpenAI API of the engine and openai-parser'],
  ['sglanghttp-parser', 'parser', 'use the OpenAI API of the engine and openai-parser'],
  ['vertexai-parser', 'parser', 'use openai-parser'],
  ['passthrough-parser', 'parser'],
];

const DEPRECATED: readonly Row[] = [
  ['by-label', 'filter', 'use label-selector-filter'],
  ['by-label-selector', 'filter', 'use label-selector-filter'],
  ['precise-prefix-cache-scorer', 'scorer', 'use prefix-cache-scorer'],
  ['pd-profile-handler', 'profile-handler', DISAGGREGATION],
  ['disagg-headers-handler', 'profile-handler', DISAGGREGATION],
  ['prefill-header-handler', 'profile-handler', DISAGGREGATION],
  ['tokenizer', 'producer', 'use token-producer'],
  ['local-syncer', 'syncer', REMOVE],
];

/** Scheduling plugins that only this picker has, with their kind. A signal is set once, and no profile refers to it. */
export const OWN_PLUGINS: ReadonlyMap<string, PluginKind> = new Map([
  ['expected-cost-scorer', 'scorer'],
  ['power-of-k-picker', 'picker'],
  ['report-trust', 'signal'],
  ['circuit-breaker', 'signal'],
  ['speed-estimator', 'signal'],
]);

function rows(stability: CataloguedPlugin['stability'], list: readonly Row[]): [string, CataloguedPlugin][] {
  return list.map(([type, kinds, instead]) => [
    type,
    { type, kinds: kinds.split(' ') as PluginKind[], stability, ...(instead === undefined ? {} : { instead }) },
  ]);
}

/** Every plugin type that llm-d v0.10 registers (`cmd/epp/runner/runner.go`), by its name in the file. */
export const PLUGIN_CATALOGUE: ReadonlyMap<string, CataloguedPlugin> = new Map([
  ...rows('alpha', ALPHA),
  ...rows('beta', BETA),
  ...rows('deprecated', DEPRECATED),
]);
