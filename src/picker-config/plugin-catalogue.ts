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
  /** Why this picker does not have the type. @default it has */
  readonly why?: string;
  /** What to use instead. @default the type itself */
  readonly instead?: string;
}

/** Why a type is left out, and what to do about it. */
interface LeftOut {
  /** Completes "is not supported by this picker: …". */
  readonly why: string;
  readonly instead: string;
}

const out = (why: string, instead: string): LeftOut => ({ why, instead });

const DISAGGREGATION = out(
  'it needs a proxy beside each engine that moves KV caches between GPUs',
  'serve prefill and decode in one pool, or use the llm-d picker for disaggregated pools',
);
const MULTICLUSTER = out(
  'a picker here sees the endpoints of one cluster',
  'use one picker per cluster, or the llm-d picker across clusters',
);
const TOPOLOGY = out('this picker reads no labels of nodes', 'use label-selector-filter on a topology label of the pods');
const NOTIFICATIONS = out('pools and pods are always watched, without a plugin', 'remove it');
const LATENCY = out(
  'it needs the service that llm-d trains to predict latencies; here speeds are measured',
  'use expected-cost-scorer, or the llm-d picker with its latency predictor',
);
const USAGE_LIMIT = out('ceilings here are per band, and fixed', 'use static-usage-limit-policy, or ceiling in a PickerPolicy');
const MULTIMODAL = out(
  'images and sound are not told apart in prompts',
  'use prefix-cache-scorer, which compares the bytes of the prompt',
);
const CACHE_EVENTS = out(
  'it needs engines that publish the events of their caches, and the tokenizer of each model',
  'use approx-prefix-cache-producer',
);
const MODEL_LISTS = out('engines are not asked for their models', 'name the models in a PickerPolicy');
const NATIVE_API = out('bodies of this kind are passed through unread', 'use the OpenAI API of the engine and openai-parser');
const OLDER_NAME = 'llm-d 0.11 has it no more';
const TEST_ONLY = out("it is for llm-d's own tests", 'remove it');

type Row = readonly [type: string, kinds: string, leftOut?: LeftOut];

const ALPHA: readonly Row[] = [
  ['disaggregatedset-rollout-screener', 'screener', out('it steers rollouts of disaggregated sets', 'remove it')],
  ['session-affinity-filter', 'filter'],
  ['session-affinity-scorer', 'scorer'],
  ['endpoint-attribute-filter', 'filter'],
  ['endpoint-attribute-scorer', 'scorer'],
  ['topology-affinity-filter', 'filter', TOPOLOGY],
  ['topology-affinity-scorer', 'scorer', TOPOLOGY],
  ['utilization-filter', 'filter'],
  ['header-label-affinity-scorer', 'scorer'],
  ['header-profile-handler', 'profile-handler'],
  ['topology-extractor', 'extractor', TOPOLOGY],
  ['dcgm-data-source', 'source'],
  ['dcgm-extractor', 'extractor'],
  [
    'burst-prefix-cache-producer',
    'producer',
    out('a prompt is remembered at its pick, so a burst of equal ones is seen without it', 'use approx-prefix-cache-producer'),
  ],
  ['p2p-source-producer', 'producer', DISAGGREGATION],
  ['multicluster-file-discovery', 'discovery', MULTICLUSTER],
  ['multicluster-metrics-data-source', 'source', MULTICLUSTER],
  ['multicluster-metrics-extractor', 'extractor', MULTICLUSTER],
  ['multicluster-session-affinity-filter', 'filter', MULTICLUSTER],
  ['multicluster-queue-scorer', 'scorer', MULTICLUSTER],
  ['multicluster-kv-cache-utilization-scorer', 'scorer', MULTICLUSTER],
  ['multicluster-prefix-cache-scorer', 'scorer', MULTICLUSTER],
  ['multicluster-approx-prefix-cache-producer', 'producer', MULTICLUSTER],
  ['sheddable-eviction-filter', 'eviction'],
  ['priority-then-time-eviction-order-policy', 'eviction'],
  ['priority-holdback-policy', 'usage-limit', USAGE_LIMIT],
  ['soft-reflective-ceiling-policy', 'usage-limit', USAGE_LIMIT],
  [
    'agent-identity',
    'producer',
    out('no header of an agent is believed unasked', 'send the fairness id in the header x-llm-d-inference-fairness-id'),
  ],
];

const BETA: readonly Row[] = [
  ['label-selector-filter', 'filter'],
  ['encode-filter', 'filter'],
  ['decode-filter', 'filter'],
  ['prefill-filter', 'filter'],
  [
    'data-parallel-profile-handler',
    'profile-handler',
    out('an endpoint is one port of a pod here', 'list every data-parallel rank as an endpoint of its own'),
  ],
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
  ['mm-embeddings-cache-scorer', 'scorer', MULTIMODAL],
  ['latency-scorer', 'scorer', LATENCY],
  ['max-score-picker', 'picker'],
  ['random-picker', 'picker'],
  ['weighted-random-picker', 'picker'],
  ['prefix-cache-affinity-filter', 'filter'],
  ['slo-headroom-tier-filter', 'filter', LATENCY],
  ['header-based-testing-filter', 'filter'],
  ['latency-slo-admitter', 'admitter', LATENCY],
  [
    'probabilistic-admitter',
    'admitter',
    out(
      'this picker sheds no requests by chance',
      'remove it, and rank models by priority: the least important wait, and are refused first',
    ),
  ],
  ['global-strict-fairness-policy', 'fairness'],
  ['round-robin-fairness-policy', 'fairness'],
  [
    'program-aware-fairness',
    'fairness',
    out(
      'programs are told apart by nothing that a client could not invent',
      'use round-robin-fairness-policy, or fairness: attainedService in a PickerPolicy',
    ),
  ],
  ['fcfs-ordering-policy', 'ordering'],
  ['edf-ordering-policy', 'ordering'],
  ['slo-deadline-ordering-policy', 'ordering'],
  ['static-usage-limit-policy', 'usage-limit'],
  ['utilization-detector', 'saturation filter'],
  ['concurrency-detector', 'saturation filter'],
  ['metrics-data-source', 'source'],
  ['core-metrics-extractor', 'extractor'],
  ['models-data-source', 'source', MODEL_LISTS],
  ['models-data-extractor', 'extractor', MODEL_LISTS],
  ['k8s-notification-source', 'source', NOTIFICATIONS],
  ['endpoint-notification-source', 'source', NOTIFICATIONS],
  [
    'request-attribute-reporter',
    'reporter',
    out('usage is counted here and not handed to the proxy', 'use limits of a PickerPolicy for token budgets'),
  ],
  ['destination-endpoint-served-verifier', 'reporter', TEST_ONLY],
  ['file-discovery', 'discovery'],
  ['approx-prefix-cache-producer', 'producer'],
  ['precise-prefix-cache-producer', 'producer', CACHE_EVENTS],
  ['token-producer', 'producer'],
  ['inflight-load-producer', 'producer'],
  ['predicted-latency-producer', 'producer', LATENCY],
  ['mm-embeddings-cache-producer', 'producer', MULTIMODAL],
  ['session-id-producer', 'producer'],
  ['openai-parser', 'parser'],
  ['anthropic-parser', 'parser'],
  ['vllmhttp-parser', 'parser', NATIVE_API],
  ['vllmgrpc-parser', 'parser', NATIVE_API],
  ['sglanghttp-parser', 'parser', NATIVE_API],
  ['vertexai-parser', 'parser', NATIVE_API],
  ['passthrough-parser', 'parser'],
];

const DEPRECATED: readonly Row[] = [
  ['by-label', 'filter', out(OLDER_NAME, 'use label-selector-filter')],
  ['by-label-selector', 'filter', out(OLDER_NAME, 'use label-selector-filter')],
  ['precise-prefix-cache-scorer', 'scorer', CACHE_EVENTS],
  ['pd-profile-handler', 'profile-handler', DISAGGREGATION],
  ['disagg-headers-handler', 'profile-handler', DISAGGREGATION],
  ['prefill-header-handler', 'profile-handler', DISAGGREGATION],
  ['tokenizer', 'producer', out(OLDER_NAME, 'use token-producer')],
  ['local-syncer', 'syncer', out('replicas tell each other without a plugin', 'remove it, and set --peers')],
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
  return list.map(([type, kinds, leftOut]) => [type, { type, kinds: kinds.split(' ') as PluginKind[], stability, ...leftOut }]);
}

/** Every plugin type that llm-d v0.10 registers (`cmd/epp/runner/runner.go`), by its name in the file. */
export const PLUGIN_CATALOGUE: ReadonlyMap<string, CataloguedPlugin> = new Map([
  ...rows('alpha', ALPHA),
  ...rows('beta', BETA),
  ...rows('deprecated', DEPRECATED),
]);
