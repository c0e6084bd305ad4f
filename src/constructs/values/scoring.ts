import { EMPTY_ENDPOINT_PICKER_CONFIG, type EndpointPickerConfig } from '../../picker-config/endpoint-picker-config';
import { refuse } from '../internal/errors';
import type { EndpointChooser } from './endpoint-chooser';
import type { Filter } from './filter';
import type { PickerSignal } from './picker-signal';
import { Scorer } from './scorer';
import type { PluginEntry } from './scoring-plugin';

/**
 * How the picker chooses among the endpoints of a pool: filters take endpoints out, scorers value the rest, a chooser decides.
 * A value, every `with…` gives another one.
 */
export class Scoring {
  /**
   * The picker's own default: it weighs what a request would wait at each endpoint against what its cached prefix saves, and
   * needs no weights. Only this project's picker has it.
   */
  public static default(): Scoring {
    return new Scoring(undefined);
  }

  /** The default of the llm-d picker: queue 2, KV cache 2, prefix cache 3. Every compatible picker has it. */
  public static llmdDefault(): Scoring {
    return Scoring.of(Scorer.queue({ weight: 2 }), Scorer.kvCacheUtilization({ weight: 2 }), Scorer.prefixCache({ weight: 3 }));
  }

  /**
   * What a GPU has free counts more than what it remembers: queue 3, KV cache 3, prefix cache 2, LoRA adapter 1. For traffic that
   * shares little, where {@link llmdDefault} would send requests to a busy GPU for the sake of a short prefix.
   */
  public static gpuAware(): Scoring {
    return Scoring.of(
      Scorer.queue({ weight: 3 }),
      Scorer.kvCacheUtilization({ weight: 3 }),
      Scorer.prefixCache({ weight: 2 }),
      Scorer.loraAffinity({ weight: 1 }),
    );
  }

  /**
   * These scorers and no others.
   * @throws AIG452 when two are of the same type
   */
  public static of(...scorers: Scorer[]): Scoring {
    const twice = scorers.find((scorer, index) => scorers.findIndex((other) => other.type === scorer.type) !== index);
    if (twice !== undefined) {
      refuse(undefined, {
        code: 'AIG452',
        what: 'two scorers of the same type would count as one with both weights',
        value: twice.type,
        allowed: 'each type once',
        fix: 'give one scorer the weight that both should have',
      });
    }
    return new Scoring({ filters: [], scorers: scorers.map((scorer) => scorer._entry), chooser: undefined });
  }

  private constructor(
    private readonly profile: Profile | undefined,
    private readonly signals: readonly PickerSignal[] = [],
  ) {}

  /** True for {@link default}, which only this project's picker understands. */
  public get isOwnDefault(): boolean {
    return this.profile === undefined;
  }

  /**
   * With this scorer too, or instead of the one of the same type.
   * @throws AIG453 on {@link default}
   */
  public with(scorer: Scorer): Scoring {
    const profile = this.profileFor('with');
    const others = profile.scorers.filter((entry) => entry.type !== scorer.type);
    return this.but({ ...profile, scorers: [...others, scorer._entry] });
  }

  /**
   * With this filter behind those that are there; each one narrows what the one before left.
   * @throws AIG453 on {@link default}
   */
  public withFilter(filter: Filter): Scoring {
    const profile = this.profileFor('withFilter');
    return this.but({ ...profile, filters: [...profile.filters, filter._entry] });
  }

  /**
   * With this chooser.
   * @throws AIG453 on {@link default}
   */
  public withPicker(chooser: EndpointChooser): Scoring {
    return this.but({ ...this.profileFor('withPicker'), chooser: chooser._entry });
  }

  /** With this signal worked out in another way, also on {@link default}. Instead of one of the same type. */
  public withSignal(signal: PickerSignal): Scoring {
    const others = this.signals.filter(({ type }) => type !== signal.type);
    return new Scoring(this.profile, [...others, signal]);
  }

  /**
   * The configuration that gives the picker this one profile; undefined for {@link default} without further words, which needs none.
   * @internal
   */
  public _config(): EndpointPickerConfig | undefined {
    const signals = this.signals.flatMap(({ type, _entry: { parameters }, _extractor: extractor }) => [
      { name: type, type, parameters },
      ...(extractor === undefined ? [] : [{ name: extractor, type: extractor }]),
    ]);
    const sources = this.signals.flatMap(({ type, _extractor: extractor }) =>
      extractor === undefined ? [] : [{ pluginRef: type, extractors: [extractor] }],
    );
    const base = { ...EMPTY_ENDPOINT_PICKER_CONFIG, dataLayer: { injectDefaults: true, sources } };
    if (this.profile === undefined) return signals.length === 0 ? undefined : { ...base, plugins: signals };
    const { filters, scorers, chooser } = this.profile;
    const seen = new Map<string, number>();
    const steps = [...filters, ...scorers, ...(chooser === undefined ? [] : [chooser])].map((entry) => {
      const count = (seen.get(entry.type) ?? 0) + 1;
      seen.set(entry.type, count);
      return { ...entry, name: count === 1 ? entry.type : `${entry.type}-${count}` };
    });
    const producers = new Set(steps.flatMap(({ producer }) => producer ?? []));
    return {
      ...base,
      plugins: [
        ...steps.map(({ name, type, parameters }) => ({ name, type, parameters })),
        ...[...producers].map((type) => ({ name: type, type })),
        ...signals,
      ],
      schedulingProfiles: [{ name: 'default', plugins: steps.map(({ name, weight }) => ({ pluginRef: name, weight })) }],
    };
  }

  private but(profile: Profile): Scoring {
    return new Scoring(profile, this.signals);
  }

  private profileFor(method: string): Profile {
    if (this.profile !== undefined) return this.profile;
    return refuse(undefined, {
      code: 'AIG453',
      what: `Scoring.default() is one formula and has no scorers that .${method}() could add to`,
      allowed: 'Scoring.of(Scorer.expectedCost(), …), Scoring.llmdDefault() or Scoring.gpuAware()',
      fix: 'start from one of these',
    });
  }
}

interface Profile {
  readonly filters: readonly PluginEntry[];
  readonly scorers: readonly PluginEntry[];
  readonly chooser: PluginEntry | undefined;
}
