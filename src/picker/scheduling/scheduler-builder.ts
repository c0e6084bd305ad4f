import { ConfigCode } from '../../picker-config/codes';
import type { EndpointPickerConfig, PluginSpec, SchedulingProfileSpec } from '../../picker-config/endpoint-picker-config';
import type { Clock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import type { RandomSource } from '../../shared/random';
import type { EndpointSource } from './interface/endpoint-snapshot';
import type { Picker, Producer } from './interface/plugins';
import { PluginParameters } from './plugin-parameters';
import { type BuiltPlugin, SCHEDULING_PLUGINS } from './plugin-registry';
import { MaxScorePicker } from './plugins/picker/max-score-picker/max-score-picker';
import {
  ApproxPrefixCacheProducer,
  DEFAULT_APPROX_PREFIX_CACHE,
} from './plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { SingleProfileHandler } from './plugins/profile-handler/single-profile-handler/single-profile-handler';
import { type NamedFilter, Profile, type WeightedScorer } from './profile';
import { Scheduler } from './scheduler';

/** The part of a configuration that says how to schedule. */
export type SchedulingConfig = Pick<EndpointPickerConfig, 'plugins' | 'schedulingProfiles'>;

/** llm-d's own default: queue 2, KV cache 2, prefix 3. */
export const LLMD_DEFAULT_SCHEDULING: SchedulingConfig = {
  plugins: [
    { name: 'queue-scorer', type: 'queue-scorer' },
    { name: 'kv-cache-utilization-scorer', type: 'kv-cache-utilization-scorer' },
    { name: 'prefix-cache-scorer', type: 'prefix-cache-scorer' },
  ],
  schedulingProfiles: [
    {
      name: 'default',
      plugins: [
        { pluginRef: 'queue-scorer', weight: 2 },
        { pluginRef: 'kv-cache-utilization-scorer', weight: 2 },
        { pluginRef: 'prefix-cache-scorer', weight: 3 },
      ],
    },
  ],
};

export interface SchedulerDependencies {
  readonly source: EndpointSource;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Position in the configuration's file of a path such as `plugins[2].type`. @default the path itself */
  readonly locate?: (path: string) => string;
}

/** The scheduler, or every reason why there is none. */
export interface BuiltScheduler {
  readonly scheduler: Scheduler | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Builds the scheduler that a configuration describes. Plugins of types that are not scheduling's (sources, parsers, detectors…) are left
 * to their owners; that every type is known is for `checkPlugins` of `picker-config`.
 */
export function buildScheduler(config: SchedulingConfig, dependencies: SchedulerDependencies): BuiltScheduler {
  return new SchedulerBuilder(config, dependencies).build();
}

class SchedulerBuilder {
  private readonly problems: Problem[] = [];
  private readonly built = new Map<string, BuiltPlugin>();
  private readonly locate: (path: string) => string;

  public constructor(
    private readonly config: SchedulingConfig,
    private readonly dependencies: SchedulerDependencies,
  ) {
    this.locate = dependencies.locate ?? ((path) => path);
  }

  public build(): BuiltScheduler {
    // producers first, because scorers refer to them whatever the order of the file
    this.buildPlugins((type) => type === ApproxPrefixCacheProducer.TYPE);
    this.buildPlugins((type) => type !== ApproxPrefixCacheProducer.TYPE);
    const chosen = this.chosenProfile();
    const profile = chosen === undefined ? undefined : this.profile(this.config.schedulingProfiles[chosen]!, chosen);
    if (profile === undefined || this.problems.length > 0) return { scheduler: undefined, problems: this.problems };
    return { scheduler: new Scheduler(profile, this.dependencies.source, this.dependencies.clock), problems: [] };
  }

  private buildPlugins(wanted: (type: string) => boolean): void {
    this.config.plugins.forEach((spec, i) => {
      const factory = SCHEDULING_PLUGINS.get(spec.type);
      if (factory === undefined || !wanted(spec.type)) return;
      const parameters = new PluginParameters(spec.type, spec.parameters, `plugins[${i}].parameters`, this.locate, this.problems);
      const { random } = this.dependencies;
      this.built.set(spec.name, factory(parameters, { random, producerFor: (name) => this.producerFor(name, spec, i) }));
    });
  }

  private producerFor(name: string | undefined, scorer: PluginSpec, index: number): ApproxPrefixCacheProducer {
    const known = this.built.get(name ?? ApproxPrefixCacheProducer.TYPE);
    if (known?.kind === 'producer') return known.plugin;
    if (name !== undefined && name !== ApproxPrefixCacheProducer.TYPE) {
      this.problems.push({
        code: ConfigCode.NO_SUCH_NAME,
        what: `plugin '${scorer.name}' refers to a prefix producer that is not there`,
        value: name,
        allowed: `the name of a plugin of type ${ApproxPrefixCacheProducer.TYPE}`,
        fix: 'add the producer, or remove prefixMatchInfoProducerName for the default one',
        where: this.locate(`plugins[${index}].parameters.prefixMatchInfoProducerName`),
      });
    }
    const plugin = new ApproxPrefixCacheProducer(DEFAULT_APPROX_PREFIX_CACHE);
    this.built.set(ApproxPrefixCacheProducer.TYPE, { kind: 'producer', plugin });
    return plugin;
  }

  private chosenProfile(): number | undefined {
    const handlers = [...this.built].flatMap(([name, { kind, plugin }]) =>
      kind === 'profile-handler' ? [{ name, plugin }] : [],
    );
    if (handlers.length > 1) {
      this.notOne(
        'several profile handlers are configured',
        handlers.map(({ name }) => name).join(', '),
        'one',
        'remove all but one',
      );
      return undefined;
    }
    const handler = handlers[0]?.plugin ?? new SingleProfileHandler();
    const names = this.config.schedulingProfiles.map(({ name }) => name);
    const choice = handler.choose(names);
    if (typeof choice === 'number') return choice;
    this.notOne(choice.what, names.join(', '), choice.allowed, 'keep one scheduling profile', 'schedulingProfiles');
    return undefined;
  }

  private notOne(what: string, value: string, allowed: string, fix: string, path = 'plugins'): void {
    this.problems.push({ code: ConfigCode.NOT_EXACTLY_ONE, what, value, allowed, fix, where: this.locate(path) });
  }

  private profile(spec: SchedulingProfileSpec, index: number): Profile | undefined {
    const filters: NamedFilter[] = [];
    const scorers: WeightedScorer[] = [];
    const pickers: { name: string; picker: Picker }[] = [];
    const producers = new Set<Producer>();
    for (const { pluginRef, weight = 1 } of spec.plugins) {
      const built = this.built.get(pluginRef);
      // a reference to a plugin of another owner is reported by checkPlugins, as misplaced
      if (built?.kind === 'filter') filters.push({ name: pluginRef, filter: built.plugin });
      if (built?.kind === 'picker') pickers.push({ name: pluginRef, picker: built.plugin });
      if (built?.kind !== 'scorer') continue;
      scorers.push({ name: pluginRef, scorer: built.plugin, weight });
      if (built.plugin.producer !== undefined) producers.add(built.plugin.producer);
    }
    if (pickers.length > 1) {
      this.notOne(
        `profile '${spec.name}' has several pickers`,
        pickers.map(({ name }) => name).join(', '),
        'one',
        'remove all but one',
        `schedulingProfiles[${index}].plugins`,
      );
      return undefined;
    }
    const picker = pickers[0]?.picker ?? new MaxScorePicker(1, this.dependencies.random);
    return new Profile({ name: spec.name, filters, scorers, picker, producers: [...producers] });
  }
}
