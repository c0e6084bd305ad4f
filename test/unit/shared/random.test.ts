import { SeededRandom, unpredictableRandom } from '../../../src/shared/random';

const first = (seed: number, count: number): number[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('random numbers', () => {
  test('the same seed gives the same numbers, another seed others', () => {
    expect(first(1, 10)).toEqual(first(1, 10));
    for (const other of [0, 2, -1, 2 ** 40 + 1]) expect(first(other, 10)).not.toEqual(first(1, 10));
  });

  test('they are in [0, 1) and spread evenly', () => {
    const counts = new Array(10).fill(0);
    for (const value of first(42, 100_000)) counts[Math.floor(value * 10)]++;
    // a number outside would have made another counter, NaN
    expect(Object.keys(counts)).toHaveLength(10);
    // five standard deviations of a binomial with n = 100,000 and p = 0.1
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(475);
  });

  test('an unpredictable one differs every time', () => {
    expect(unpredictableRandom().next()).not.toBe(unpredictableRandom().next());
  });
});
