import { ConfigCode } from '../../picker-config/codes';
import type { EndpointPickerConfig, PluginSpec, SchedulingProfileSpec } from '../../picker-config/endpoint-picker-config';
import type { Clock } from '../../shared/clock';
import type { Problem } from '../../shared/problem';
import type { RandomSource } from '../../shared/random';
import { CircuitBreaker } from './circuit-breaker';
import type { CustomScorer } from './interface/custom-scorer';
import type { EndpointSource } from './interface/endpoint-snapshot';
import type { Picker, Producer, ProfileHandler } from './interface/plugins';
import { LearnedSpeed } from './learned-speed';
import { DEFAULT_SIGNALS, type OwnSignals } from './own-signals';
import { PluginFaults, shownFault } from './plugin-faults';
import { type PluginMeters, type PluginName, timedParts } from './plugin-meters';
import { PluginParameters } from './plugin-parameters';
import {
  type AnyProducer,
  type BuildContext,
  type BuiltPlugin,
  customPlugin,
  type RegisteredPlugin,
  SCHEDULING_PLUGINS,
} from './plugin-registry';
import { MaxScorePicker } from './plugins/picker/max-score-picker/max-score-picker';
import { ApproxPrefixCacheProducer } from './plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { InflightLoadProducer } from './plugins/producer/inflight-load-producer/inflight-load-producer';
import { SingleProfileHandler } from './plugins/profile-handler/single-profile-handler/single-profile-handler';
import { type NamedFilter, Profile, type ProfileParts, type WeightedScorer } from './profile';
import { Scheduler } from './scheduler';

/** The part of a configuration that says how to schedule. */
export type SchedulingConfig = Pick<EndpointPickerConfig, 'plugins' | 'schedulingProfiles'>;

/** This picker's own default, for configurations that name no scheduling profile; see docs/picker/default-profile.md. */
export const DEFAULT_SCHEDULING: SchedulingConfig = {
  plugins: [
    { name: 'expected-cost-scorer', type: 'expected-cost-scorer' },
    { name: 'power-of-k-picker', type: 'power-of-k-picker' },
  ],
  schedulingProfiles: [{ name: 'default', plugins: [{ pluginRef: 'expected-cost-scorer' }, { pluginRef: 'power-of-k-picker' }] }],
};

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
  /** Scorers of users, beside those of the registry. @default none */
  readonly custom?: readonly CustomScorer[];
  /** Counts what they do wrong. @default nobody looks */
  readonly faults?: PluginFaults;
  /** What plugins take and find. @default nobody looks */
  readonly meters?: PluginMeters;
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

interface ProducerType<T> {
  // biome-ignore lint/suspicious/noExplicitAny: any constructor will do, it is only asked whether an object came from it
  new (...parts: any[]): T;
  readonly TYPE: string;
  /** In messages. */
  readonly NOUN: string;
  /** One with default parameters. */
  standard(clock: Clock): T;
}

/** Others need what these kinds give, whatever the order of the file. */
const BUILT_FIRST: readonly BuiltPlugin['kind'][] = ['signal', 'producer'];

class SchedulerBuilder {
  private readonly problems: Problem[] = [];
  private readonly built = new Map<string, BuiltPlugin>();
  private readonly locate: (path: string) => string;
  private readonly custom: ReadonlyMap<string, RegisteredPlugin>;
  private signals: OwnSignals = DEFAULT_SIGNALS;
  private speed = new LearnedSpeed();
  private breaker = new CircuitBreaker();

  public constructor(
    private readonly config: SchedulingConfig,
    private readonly dependencies: SchedulerDependencies,
  ) {
    this.locate = dependencies.locate ?? ((path) => path);
    this.custom = new Map(dependencies.custom?.map((definition) => [definition.type, customPlugin(definition)]));
  }

  public build(): BuiltScheduler {
    this.buildPlugins((kind) => kind === 'signal');
    this.useSignals();
    this.buildPlugins((kind) => kind === 'producer');
    this.buildPlugins((kind) => !BUILT_FIRST.includes(kind));
    const handler = this.handler();
    const parts = this.config.schedulingProfiles.map((spec, i) => this.profile(spec, i));
    if (handler === undefined || this.problems.length > 0) return { scheduler: undefined, problems: this.problems };
    const { source, clock, meters } = this.dependencies;
    const prefixes = new Map(
      [...this.built].flatMap(([name, { plugin }]) => (plugin instanceof ApproxPrefixCacheProducer ? [[name, plugin]] : [])),
    );
    for (const [name, producer] of prefixes) producer.hits = meters?.prefixHits(name);
    const profiles = parts.map((each) => new Profile(each));
    const { speed, breaker } = this;
    const scheduler = { profiles, handler, source, clock, speed, breaker, trust: this.signals.trust, prefixes };
    return { scheduler: new Scheduler({ ...scheduler, ...this.timed(parts) }), problems: [] };
  }

  private buildPlugins(wanted: (kind: BuiltPlugin['kind']) => boolean): void {
    this.config.plugins.forEach((spec, i) => {
      const registered = SCHEDULING_PLUGINS.get(spec.type) ?? this.custom.get(spec.type);
      if (registered === undefined || !wanted(registered.kind)) return;
      const parameters = new PluginParameters(spec.type, spec.parameters, `plugins[${i}].parameters`, this.locate, this.problems);
      const { random, clock, faults = new PluginFaults() } = this.dependencies;
      const context: BuildContext = {
        name: spec.name,
        faults,
        random,
        clock,
        speed: this.speed,
        prefixProducer: (name) =>
          this.producer(ApproxPrefixCacheProducer, name, spec, `${i}].parameters.prefixMatchInfoProducerName`),
        inflightProducer: (name) => this.producer(InflightLoadProducer, name, spec, `${i}].parameters.inFlightLoadProducerName`),
      };
      const built = this.buildPlugin(registered, parameters, context, spec, i);
      if (built !== undefined) this.built.set(spec.name, built);
    });
  }

  /** What the configuration says of the picker's own signals; of each kind once. */
  private useSignals(): void {
    const named = this.config.plugins.filter(({ name }) => this.built.get(name)?.kind === 'signal');
    for (const { type } of named.filter((spec, index) => named.findIndex((other) => other.type === spec.type) < index)) {
      const names = named.filter((other) => other.type === type).map(({ name }) => name);
      this.notOne(`several plugins are of type '${type}', which holds for all profiles`, names.join(', '), 'one', 'keep one');
    }
    for (const { kind, plugin } of this.built.values()) if (kind === 'signal') this.signals = { ...this.signals, ...plugin };
    this.speed = new LearnedSpeed(this.signals.speed);
    this.breaker = new CircuitBreaker(this.signals.breaker);
  }

  /** Our own plugins report their faults; one of a user may throw whatever it likes. */
  private buildPlugin(
    registered: RegisteredPlugin,
    parameters: PluginParameters,
    context: BuildContext,
    { name, type }: PluginSpec,
    index: number,
  ): BuiltPlugin | undefined {
    if (!this.custom.has(type)) return registered.build(parameters, context);
    try {
      return registered.build(parameters, context);
    } catch (error) {
      this.problems.push({
        code: ConfigCode.UNUSABLE_PLUGIN,
        what: `plugin '${name}' of type '${type}' cannot be made: ${shownFault(error)}`,
        fix: 'mend its create(), or its parameters',
        where: this.locate(`plugins[${index}]`),
      });
      return undefined;
    }
  }

  /** The producer of that name, or the default one, which is made when it is first wanted. */
  private producer<T extends AnyProducer>(type: ProducerType<T>, name: string | undefined, user: PluginSpec, path: string): T {
    const known = this.built.get(name ?? type.TYPE);
    if (known?.kind === 'producer' && known.plugin instanceof type) return known.plugin;
    // one that has another name serves as well, as long as there is no choice
    const others = [...this.built.values()].flatMap(({ kind, plugin }) =>
      kind === 'producer' && plugin instanceof type ? [plugin] : [],
    );
    if (name === undefined && others.length === 1) return others[0]!;
    if (name !== undefined && name !== type.TYPE) {
      this.problems.push({
        code: ConfigCode.NO_SUCH_NAME,
        what: `plugin '${user.name}' refers to a ${type.NOUN} that is not there`,
        value: name,
        allowed: `the name of a plugin of type ${type.TYPE}`,
        fix: 'add the producer, or remove the parameter for the default one',
        where: this.locate(`plugins[${path}`),
      });
    }
    const plugin = type.standard(this.dependencies.clock);
    this.built.set(type.TYPE, { kind: 'producer', plugin });
    return plugin;
  }

  private handler(): ProfileHandler | undefined {
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
    const fault = handler.check(names);
    if (fault === undefined) return handler;
    this.notOne(fault.what, names.join(', '), fault.allowed, 'correct the scheduling profiles', 'schedulingProfiles');
    return undefined;
  }

  private notOne(what: string, value: string, allowed: string, fix: string, path = 'plugins'): void {
    this.problems.push({ code: ConfigCode.NOT_EXACTLY_ONE, what, value, allowed, fix, where: this.locate(path) });
  }

  private timed(parts: readonly ProfileParts[]): { timed?: Profile[] } {
    const { meters, clock } = this.dependencies;
    if (meters === undefined) return {};
    const names = new Map<object, PluginName>();
    const types = new Map(this.config.plugins.map(({ name, type }) => [name, type]));
    for (const [name, { plugin }] of this.built) names.set(plugin, { name, type: types.get(name) ?? name });
    // the picker of profiles that name none
    const unnamed = { name: MaxScorePicker.TYPE, type: MaxScorePicker.TYPE };
    const nameOf = (plugin: object): PluginName => names.get(plugin) ?? unnamed;
    return { timed: parts.map((each) => new Profile(timedParts(each, nameOf, meters, () => clock.nowMs()))) };
  }

  private profile(spec: SchedulingProfileSpec, index: number): ProfileParts {
    const filters: NamedFilter[] = [];
    const scorers: WeightedScorer[] = [];
    const pickers: { name: string; picker: Picker }[] = [];
    const producers = new Set<Producer>();
    for (const { pluginRef, weight } of spec.plugins) {
      const built = this.built.get(pluginRef);
      // a reference to a plugin of another owner is reported by checkPlugins, as misplaced
      if (built?.kind === 'filter') filters.push({ name: pluginRef, filter: built.plugin });
      if (built?.kind === 'filter-and-scorer') {
        filters.push({ name: pluginRef, filter: built.plugin });
        scorers.push({ name: pluginRef, scorer: built.plugin, weight: weight ?? 1 });
      }
      if (built?.kind === 'picker') pickers.push({ name: pluginRef, picker: built.plugin });
      if (built?.kind === 'scorer') scorers.push({ name: pluginRef, scorer: built.plugin, weight: weight ?? 1 });
    }
    for (const { producer } of [...filters.map(({ filter }) => filter), ...scorers.map(({ scorer }) => scorer)]) {
      if (producer?.requires !== undefined) producers.add(producer.requires);
      if (producer !== undefined) producers.add(producer);
    }
    if (pickers.length > 1) {
      this.notOne(
        `profile '${spec.name}' has several pickers`,
        pickers.map(({ name }) => name).join(', '),
        'one',
        'remove all but one',
        `schedulingProfiles[${index}].plugins`,
      );
    }
    const picker = pickers[0]?.picker ?? new MaxScorePicker(1, this.dependencies.random);
    return { name: spec.name, filters, scorers, picker, producers: [...producers], breaker: this.breaker };
  }
}
