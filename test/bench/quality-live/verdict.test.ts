import type { LiveRun } from './run';
import { best, COLUMNS, medianInterval, SERVED, spread, verdict } from './verdict';

const run = (router: string, repetition: number, changes: Partial<LiveRun> = {}): LiveRun => ({
  ...{ router, traffic: 'shared 40/s', repetition, seconds: 12, warmUpSeconds: 3, offered: 1_000, served: 1_000 },
  ...{ ttftMeanMs: 100, ttftP50Ms: 50, ttftP99Ms: 500, totalMeanMs: 900, hitRatio: 0.8, maxToMeanLoad: 1.1 },
  ...{ errors: {}, worstLagMs: 1, cores: {}, machineBusyRatio: 0.5 },
  ...changes,
});
const runs = (router: string, means: readonly number[], changes: Partial<LiveRun> = {}): LiveRun[] =>
  means.map((ttftMeanMs, i) => run(router, i + 1, { ...changes, ttftMeanMs }));
const TTFT = COLUMNS.find(({ title }) => title === 'TTFT mean')!;
const HITS = COLUMNS.find(({ title }) => title === 'hits')!;

test('the spread is half the range', () => {
  expect(spread([5])).toBe(0);
  expect(spread([5, 1, 9, 4])).toBe(4);
});

// the binomial distribution's table: 2 · P(X ≤ k − 1) is to be 7 % at most
test.each([
  [1, 1],
  [3, 1],
  [5, 1],
  [8, 1],
  [9, 2],
  [11, 3],
  [12, 3],
  [20, 6],
])('of %i values the median lies between number %i from below and from above', (n, k) => {
  const values = Array.from({ length: n }, (_, i) => (7 * i) % n);
  const shuffled = n % 7 === 0 ? values.reverse() : values;
  expect(medianInterval(shuffled)).toEqual([k - 1, n - k]);
});

describe('a verdict', () => {
  const theirs = runs('smg', [100, 200, 300, 400, 500]);

  test('is passed when every repetition of five says the same', () => {
    expect(verdict(TTFT, runs('default', [90, 180, 290, 350, 460]), theirs)).toBe('better');
    expect(verdict(TTFT, runs('default', [110, 220, 310, 450, 540]), theirs)).toBe('worse');
  });

  test('is none when one does not, however far the others are', () => {
    expect(verdict(TTFT, runs('default', [90, 180, 290, 350, 501]), theirs)).toBe('same');
    expect(verdict(TTFT, runs('default', [400, 500, 600, 700, 499]), theirs)).toBe('same');
  });

  test('is none over what nobody would notice', () => {
    expect(verdict(TTFT, runs('default', [101, 201, 301, 401, 501]), theirs)).toBe('same');
  });

  test('knows which way a column is better', () => {
    const hits = (hitRatio: number): LiveRun[] => runs('any', [1, 2, 3, 4, 5], { hitRatio });
    expect(verdict(HITS, hits(0.9), hits(0.8))).toBe('better');
    expect(verdict(HITS, hits(0.7), hits(0.8))).toBe('worse');
  });

  test('compares repetitions with the same traffic, in whatever order they came', () => {
    expect(verdict(TTFT, runs('default', [90, 180, 290, 350, 460]).reverse(), theirs)).toBe('better');
    expect(verdict(TTFT, [run('default', 3, { ttftMeanMs: 250 })], theirs)).toBe('better');
    expect(verdict(TTFT, [run('default', 9, { ttftMeanMs: 1 })], theirs)).toBe('same');
  });

  test('is against who served nobody', () => {
    expect(verdict(TTFT, runs('default', [90, 180, 290, 350, Number.NaN]), theirs)).toBe('worse');
  });
});

test('the best is looked for among those that serve 99 %', () => {
  const routers = new Map([
    ['hasty', runs('hasty', [1, 2, 3], { served: 980 })],
    ['slow', runs('slow', [300, 100, 200])],
    ['good', runs('good', [250, 90, 100], { served: 990 })],
  ]);
  expect(best(TTFT, routers)).toBe('good');
  expect(best(SERVED, routers)).toBe('slow');
  expect(best(TTFT, new Map([['hasty', routers.get('hasty')!]]))).toBeUndefined();
});
