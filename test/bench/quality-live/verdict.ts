import { median } from '../report';
import type { LiveRun } from './run';

/** One figure of a run, and which way it is better. */
export interface Column {
  readonly title: string;
  readonly better: 'less' | 'more';
  /** Differences below are none: nobody notices, or the clock does not tell. */
  readonly resolution: number;
  of(run: LiveRun): number;
  shown(value: number): string;
}

const milliseconds = (title: string, of: (run: LiveRun) => number): Column => ({
  ...{ title, better: 'less', resolution: 2, of },
  shown: (value) => value.toFixed(0),
});

export const SERVED: Column = {
  ...{ title: 'served', better: 'more', resolution: 0.001 },
  of: ({ served, offered }) => served / offered,
  shown: (value) => `${(100 * value).toFixed(1)} %`,
};

export const COLUMNS: readonly Column[] = [
  SERVED,
  milliseconds('TTFT mean', ({ ttftMeanMs }) => ttftMeanMs),
  milliseconds('p50', ({ ttftP50Ms }) => ttftP50Ms),
  milliseconds('p99', ({ ttftP99Ms }) => ttftP99Ms),
  milliseconds('E2E mean', ({ totalMeanMs }) => totalMeanMs),
  { title: 'hits', better: 'more', resolution: 0.005, of: ({ hitRatio }) => hitRatio, shown: (value) => value.toFixed(2) },
  {
    ...{ title: 'max/mean', better: 'less', resolution: 0.01, of: ({ maxToMeanLoad }) => maxToMeanLoad },
    shown: (value) => value.toFixed(2),
  },
];

/** Those that serve less are not asked what the served ones got: it is easy to be fast for few. */
const SERVES_ENOUGH = 0.99;

export type Verdict = 'better' | 'same' | 'worse';

/** Half the range: how far repetitions lie apart, and that includes that each has traffic of its own. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2;
}

/** The chance at which `medianInterval` is to hold the true median: with five values, all of them are needed for it. */
const COVERAGE = 0.93;

/**
 * Between which of the values the median of all that could have been drawn lies, by the sign test: the k-th smallest and the k-th largest, k as
 * large as the coverage allows. Five values span it with 94 %, fewer with less: 75 % for three, nothing for one.
 */
export function medianInterval(values: readonly number[]): readonly [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  let k = 1;
  // P(at most k of n tosses are heads), twice: both ends
  for (let outside = 2 / 2 ** n, ways = 1; k < n / 2; k++) {
    ways = (ways * (n - k + 1)) / k;
    outside += (2 * ways) / 2 ** n;
    if (1 - outside < COVERAGE) break;
  }
  return [sorted[k - 1]!, sorted[n - k]!];
}

/**
 * How runs compare with others of the same traffic. Repetitions are compared one by one, because the traffic of each is the same for all
 * routers: `better` or `worse` when the interval of the differences' median lies on one side, beyond the resolution; `same` when not.
 */
export function verdict(column: Column, ours: readonly LiveRun[], others: readonly LiveRun[]): Verdict {
  const gains = ours.flatMap((run) => {
    const other = others.find(({ repetition }) => repetition === run.repetition);
    if (other === undefined) return [];
    const difference = column.of(run) - column.of(other);
    return [column.better === 'more' ? difference : -difference];
  });
  // who served nobody has no figures
  if (gains.length === 0 || gains.some(Number.isNaN)) return ours.some((run) => Number.isNaN(column.of(run))) ? 'worse' : 'same';
  const [low, high] = medianInterval(gains);
  if (low > column.resolution) return 'better';
  return high < -column.resolution ? 'worse' : 'same';
}

/** Of those that serve enough, the one with the best median; undefined when none does. */
export function best(column: Column, routers: ReadonlyMap<string, readonly LiveRun[]>): string | undefined {
  let found: { readonly name: string; readonly value: number } | undefined;
  for (const [name, runs] of routers) {
    if (median(runs.map(SERVED.of)) < SERVES_ENOUGH) continue;
    const value = median(runs.map(column.of));
    const isBetter = found === undefined || (column.better === 'more' ? value > found.value : value < found.value);
    if (isBetter) found = { name, value };
  }
  return found?.name;
}
