import { Bounds, Histogram } from '../telemetry/histogram';
import type { Filter, Picker, Producer, Scorer } from './interface/plugins';
import type { ProfileParts } from './profile';

/** Where a plugin is at work, by llm-d's names. */
export type ExtensionPoint = 'DataProducer' | 'Filter' | 'Scorer' | 'Picker' | 'PreRequest';

export interface PluginName {
  readonly name: string;
  readonly type: string;
}

export interface PluginDuration extends PluginName {
  readonly point: ExtensionPoint;
  readonly seconds: Histogram;
}

/** How much of the prompts a prefix producer has found at the endpoints that they went to. */
export interface PrefixHits {
  readonly ratio: Histogram;
  readonly bytes: Histogram;
}

/** What plugins take and find. It outlives the schedulers that a changed configuration replaces. */
export class PluginMeters {
  private readonly byPoint = new Map<string, PluginDuration>();
  private readonly byProducer = new Map<string, PrefixHits>();

  public get durations(): Iterable<PluginDuration> {
    return this.byPoint.values();
  }

  public seconds(point: ExtensionPoint, { name, type }: PluginName): Histogram {
    const key = `${point}\n${name}\n${type}`;
    let duration = this.byPoint.get(key);
    if (duration === undefined) {
      duration = { point, name, type, seconds: new Histogram(Bounds.SCHEDULER_SECONDS) };
      this.byPoint.set(key, duration);
    }
    return duration.seconds;
  }

  public prefixHits(producer: string): PrefixHits {
    let hits = this.byProducer.get(producer);
    if (hits === undefined) {
      hits = { ratio: new Histogram(Bounds.HIT_RATIO), bytes: new Histogram(Bounds.HIT_BYTES) };
      this.byProducer.set(producer, hits);
    }
    return hits;
  }
}

/** The same plugins, each with a look at the clock before and behind it. @param nameOf name and type of a plugin */
export function timedParts(
  parts: ProfileParts,
  nameOf: (plugin: object) => PluginName,
  meters: PluginMeters,
  nowMs: () => number,
): ProfileParts {
  const timed = (point: ExtensionPoint, plugin: object) => {
    const seconds = meters.seconds(point, nameOf(plugin));
    return <T>(work: () => T): T => {
      const beganMs = nowMs();
      const result = work();
      seconds.observe((nowMs() - beganMs) / 1e3);
      return result;
    };
  };
  const filter = (inner: Filter): Filter => {
    const time = timed('Filter', inner);
    return { filter: (...asked) => time(() => inner.filter(...asked)) };
  };
  const scorer = (inner: Scorer): Scorer => {
    const time = timed('Scorer', inner);
    return { usesMetrics: inner.usesMetrics, score: (...asked) => time(() => inner.score(...asked)) };
  };
  const producer = (inner: Producer): Producer => {
    const [prepare, picked] = [timed('DataProducer', inner), timed('PreRequest', inner)];
    return {
      prepare: (...asked) => prepare(() => inner.prepare(...asked)),
      picked: (...asked) => picked(() => inner.picked(...asked)),
      answerHeaders: (...asked) => inner.answerHeaders?.(...asked),
      ...(inner.cachedTokens === undefined ? {} : { cachedTokens: (slot: number) => inner.cachedTokens!(slot) }),
    };
  };
  const picker = (inner: Picker): Picker => {
    const time = timed('Picker', inner);
    return { maxNumOfEndpoints: inner.maxNumOfEndpoints, pick: (...asked) => time(() => inner.pick(...asked)) };
  };
  return {
    name: parts.name,
    filters: parts.filters.map((each) => ({ ...each, filter: filter(each.filter) })),
    scorers: parts.scorers.map((each) => ({ ...each, scorer: scorer(each.scorer) })),
    picker: picker(parts.picker),
    producers: parts.producers.map(producer),
    breaker: parts.breaker,
  };
}
