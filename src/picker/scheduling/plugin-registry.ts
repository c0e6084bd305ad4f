import type { RandomSource } from '../../shared/random';
import type { Filter, Picker, ProfileHandler, Scorer } from './interface/plugins';
import type { PluginParameters } from './plugin-parameters';
import { LabelSelectorFilter } from './plugins/filter/label-selector-filter/label-selector-filter';
import { MaxScorePicker } from './plugins/picker/max-score-picker/max-score-picker';
import { RandomPicker } from './plugins/picker/random-picker/random-picker';
import { WeightedRandomPicker } from './plugins/picker/weighted-random-picker/weighted-random-picker';
import { ApproxPrefixCacheProducer } from './plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { SingleProfileHandler } from './plugins/profile-handler/single-profile-handler/single-profile-handler';
import { KvCacheUtilizationScorer } from './plugins/scorer/kv-cache-utilization-scorer/kv-cache-utilization-scorer';
import { LoadAwareScorer } from './plugins/scorer/load-aware-scorer/load-aware-scorer';
import { LoraAffinityScorer } from './plugins/scorer/lora-affinity-scorer/lora-affinity-scorer';
import { PrefixCacheScorer } from './plugins/scorer/prefix-cache-scorer/prefix-cache-scorer';
import { QueueScorer } from './plugins/scorer/queue-scorer/queue-scorer';
import { RunningRequestsSizeScorer } from './plugins/scorer/running-requests-size-scorer/running-requests-size-scorer';

/** A plugin that was built, by what it does. */
export type BuiltPlugin =
  | { readonly kind: 'filter'; readonly plugin: Filter }
  | { readonly kind: 'scorer'; readonly plugin: Scorer }
  | { readonly kind: 'picker'; readonly plugin: Picker }
  | { readonly kind: 'producer'; readonly plugin: ApproxPrefixCacheProducer }
  | { readonly kind: 'profile-handler'; readonly plugin: ProfileHandler };

/** What a plugin may ask for when it is built. */
export interface BuildContext {
  readonly random: RandomSource;
  /** The instance of that name, or the default one; records a fault when there is none of that name. */
  producerFor(name: string | undefined): ApproxPrefixCacheProducer;
}

export type PluginFactory = (parameters: PluginParameters, context: BuildContext) => BuiltPlugin;

/** Scheduling plugins by the type name in the configuration. llm-d's other names are in `picker-config/plugin-catalogue.ts`. */
export const SCHEDULING_PLUGINS: ReadonlyMap<string, PluginFactory> = new Map<string, PluginFactory>([
  [LabelSelectorFilter.TYPE, (parameters) => ({ kind: 'filter', plugin: LabelSelectorFilter.fromParameters(parameters) })],
  [QueueScorer.TYPE, (parameters) => ({ kind: 'scorer', plugin: QueueScorer.fromParameters(parameters) })],
  [
    RunningRequestsSizeScorer.TYPE,
    (parameters) => ({ kind: 'scorer', plugin: RunningRequestsSizeScorer.fromParameters(parameters) }),
  ],
  [
    KvCacheUtilizationScorer.TYPE,
    (parameters) => ({ kind: 'scorer', plugin: KvCacheUtilizationScorer.fromParameters(parameters) }),
  ],
  [LoadAwareScorer.TYPE, (parameters) => ({ kind: 'scorer', plugin: LoadAwareScorer.fromParameters(parameters) })],
  [LoraAffinityScorer.TYPE, (parameters) => ({ kind: 'scorer', plugin: LoraAffinityScorer.fromParameters(parameters) })],
  [
    PrefixCacheScorer.TYPE,
    (parameters, { producerFor }) => ({ kind: 'scorer', plugin: PrefixCacheScorer.fromParameters(parameters, producerFor) }),
  ],
  [
    ApproxPrefixCacheProducer.TYPE,
    (parameters) => ({ kind: 'producer', plugin: ApproxPrefixCacheProducer.fromParameters(parameters) }),
  ],
  [
    MaxScorePicker.TYPE,
    (parameters, { random }) => ({ kind: 'picker', plugin: MaxScorePicker.fromParameters(parameters, random) }),
  ],
  [RandomPicker.TYPE, (parameters, { random }) => ({ kind: 'picker', plugin: RandomPicker.fromParameters(parameters, random) })],
  [
    WeightedRandomPicker.TYPE,
    (parameters, { random }) => ({ kind: 'picker', plugin: WeightedRandomPicker.fromParameters(parameters, random) }),
  ],
  [
    SingleProfileHandler.TYPE,
    (parameters) => ({ kind: 'profile-handler', plugin: SingleProfileHandler.fromParameters(parameters) }),
  ],
]);
