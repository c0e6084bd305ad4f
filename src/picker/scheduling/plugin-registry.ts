import type { Clock } from '../../shared/clock';
import type { RandomSource } from '../../shared/random';
import type { CustomScorer } from './interface/custom-scorer';
import type { Filter, Picker, ProfileHandler, Scorer } from './interface/plugins';
import type { LearnedSpeed } from './learned-speed';
import type { OwnSignals } from './own-signals';
import type { PluginFaults } from './plugin-faults';
import type { PluginParameters } from './plugin-parameters';
import { ConcurrencyDetector } from './plugins/filter/concurrency-detector/concurrency-detector';
import { DecodeFilter } from './plugins/filter/decode-filter/decode-filter';
import { EncodeFilter } from './plugins/filter/encode-filter/encode-filter';
import { EndpointAttributeFilter } from './plugins/filter/endpoint-attribute-filter/endpoint-attribute-filter';
import { HeaderBasedTestingFilter } from './plugins/filter/header-based-testing-filter/header-based-testing-filter';
import { LabelSelectorFilter } from './plugins/filter/label-selector-filter/label-selector-filter';
import { PrefillFilter } from './plugins/filter/prefill-filter/prefill-filter';
import { PrefixCacheAffinityFilter } from './plugins/filter/prefix-cache-affinity-filter/prefix-cache-affinity-filter';
import { SessionAffinityFilter } from './plugins/filter/session-affinity-filter/session-affinity-filter';
import { UtilizationDetector } from './plugins/filter/utilization-detector/utilization-detector';
import { UtilizationFilter } from './plugins/filter/utilization-filter/utilization-filter';
import { MaxScorePicker } from './plugins/picker/max-score-picker/max-score-picker';
import { PowerOfKPicker } from './plugins/picker/power-of-k-picker/power-of-k-picker';
import { RandomPicker } from './plugins/picker/random-picker/random-picker';
import { WeightedRandomPicker } from './plugins/picker/weighted-random-picker/weighted-random-picker';
import { ApproxPrefixCacheProducer } from './plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { InflightLoadProducer } from './plugins/producer/inflight-load-producer/inflight-load-producer';
import { SessionIdProducer } from './plugins/producer/session-id-producer/session-id-producer';
import { TokenProducer } from './plugins/producer/token-producer/token-producer';
import { HeaderProfileHandler } from './plugins/profile-handler/header-profile-handler/header-profile-handler';
import { SingleProfileHandler } from './plugins/profile-handler/single-profile-handler/single-profile-handler';
import { ActiveRequestScorer } from './plugins/scorer/active-request-scorer/active-request-scorer';
import { ContextLengthAware } from './plugins/scorer/context-length-aware/context-length-aware';
import { CustomScorerAdapter } from './plugins/scorer/custom-scorer/custom-scorer';
import { EndpointAttributeScorer } from './plugins/scorer/endpoint-attribute-scorer/endpoint-attribute-scorer';
import { ExpectedCostScorer } from './plugins/scorer/expected-cost-scorer/expected-cost-scorer';
import { HeaderLabelAffinityScorer } from './plugins/scorer/header-label-affinity-scorer/header-label-affinity-scorer';
import { KvCacheUtilizationScorer } from './plugins/scorer/kv-cache-utilization-scorer/kv-cache-utilization-scorer';
import { LoadAwareScorer } from './plugins/scorer/load-aware-scorer/load-aware-scorer';
import { LoraAffinityScorer } from './plugins/scorer/lora-affinity-scorer/lora-affinity-scorer';
import { NoHitLruScorer } from './plugins/scorer/no-hit-lru-scorer/no-hit-lru-scorer';
import { PrefixCacheScorer } from './plugins/scorer/prefix-cache-scorer/prefix-cache-scorer';
import { QueueScorer } from './plugins/scorer/queue-scorer/queue-scorer';
import { RunningRequestsSizeScorer } from './plugins/scorer/running-requests-size-scorer/running-requests-size-scorer';
import { SessionAffinityScorer } from './plugins/scorer/session-affinity-scorer/session-affinity-scorer';
import { TokenLoadScorer } from './plugins/scorer/token-load-scorer/token-load-scorer';
import { CircuitBreakerSignal } from './plugins/signal/circuit-breaker/circuit-breaker';
import { ReportTrust } from './plugins/signal/report-trust/report-trust';
import { SpeedEstimator } from './plugins/signal/speed-estimator/speed-estimator';

export type AnyProducer = ApproxPrefixCacheProducer | InflightLoadProducer | SessionIdProducer | TokenProducer;

/** What a plugin may be, by kind. */
interface PluginOfKind {
  readonly filter: Filter;
  readonly scorer: Scorer;
  readonly 'filter-and-scorer': Filter & Scorer;
  readonly picker: Picker;
  readonly producer: AnyProducer;
  readonly 'profile-handler': ProfileHandler;
  /** How the picker works out one of its own signals, whatever the profile. */
  readonly signal: Partial<OwnSignals>;
}

/** A plugin that was built, by what it does. */
export type BuiltPlugin = {
  [K in keyof PluginOfKind]: { readonly kind: K; readonly plugin: PluginOfKind[K] };
}[keyof PluginOfKind];

/** What a plugin may ask for when it is built. Producers: the one of that name, or the default one, which is made when it is wanted. */
export interface BuildContext {
  /** Name of the plugin in the configuration. */
  readonly name: string;
  readonly random: RandomSource;
  readonly clock: Clock;
  readonly speed: LearnedSpeed;
  readonly faults: PluginFaults;
  prefixProducer(name: string | undefined): ApproxPrefixCacheProducer;
  inflightProducer(name: string | undefined): InflightLoadProducer;
}

export interface RegisteredPlugin {
  readonly kind: BuiltPlugin['kind'];
  /** Faults of the parameters are recorded in them. */
  build(parameters: PluginParameters, context: BuildContext): BuiltPlugin;
}

interface PluginClass<T> {
  readonly TYPE: string;
  fromParameters(parameters: PluginParameters, context: BuildContext): T;
}

function all<K extends keyof PluginOfKind>(
  kind: K,
  classes: readonly PluginClass<PluginOfKind[K]>[],
): [string, RegisteredPlugin][] {
  return classes.map((type) => [
    type.TYPE,
    { kind, build: (parameters, context) => ({ kind, plugin: type.fromParameters(parameters, context) }) as BuiltPlugin },
  ]);
}

/** Pickers get their source of chance alone. */
function pickers(
  classes: readonly { readonly TYPE: string; fromParameters(parameters: PluginParameters, random: RandomSource): Picker }[],
): [string, RegisteredPlugin][] {
  return classes.map((type) => [
    type.TYPE,
    { kind: 'picker', build: (parameters, { random }) => ({ kind: 'picker', plugin: type.fromParameters(parameters, random) }) },
  ]);
}

/** A scorer of a user, ready to be built like one of the picker's own. */
export function customPlugin(definition: CustomScorer): RegisteredPlugin {
  return {
    kind: 'scorer',
    build: (parameters, context) => ({
      kind: 'scorer',
      plugin: CustomScorerAdapter.fromParameters(context.name, definition, parameters, context),
    }),
  };
}

/** Scheduling plugins by the type name in the configuration. llm-d's other names are in `picker-config/plugin-catalogue.ts`. */
export const SCHEDULING_PLUGINS: ReadonlyMap<string, RegisteredPlugin> = new Map([
  ...all('filter', [
    LabelSelectorFilter,
    DecodeFilter,
    PrefillFilter,
    EncodeFilter,
    PrefixCacheAffinityFilter,
    SessionAffinityFilter,
    UtilizationFilter,
    EndpointAttributeFilter,
    HeaderBasedTestingFilter,
    UtilizationDetector,
    ConcurrencyDetector,
  ]),
  ...all('scorer', [
    QueueScorer,
    RunningRequestsSizeScorer,
    KvCacheUtilizationScorer,
    LoadAwareScorer,
    LoraAffinityScorer,
    PrefixCacheScorer,
    ActiveRequestScorer,
    TokenLoadScorer,
    SessionAffinityScorer,
    HeaderLabelAffinityScorer,
    NoHitLruScorer,
    EndpointAttributeScorer,
    ExpectedCostScorer,
  ]),
  ...all('filter-and-scorer', [ContextLengthAware]),
  ...pickers([MaxScorePicker, RandomPicker, WeightedRandomPicker, PowerOfKPicker]),
  ...all('producer', [ApproxPrefixCacheProducer, InflightLoadProducer, SessionIdProducer, TokenProducer]),
  ...all('profile-handler', [SingleProfileHandler, HeaderProfileHandler]),
  ...all('signal', [ReportTrust, CircuitBreakerSignal, SpeedEstimator]),
]);
