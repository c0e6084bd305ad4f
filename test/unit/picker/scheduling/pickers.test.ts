import type { Picker } from '../../../../src/picker/scheduling/interface/plugins';
import { MaxScorePicker } from '../../../../src/picker/scheduling/plugins/picker/max-score-picker/max-score-picker';
import { RandomPicker } from '../../../../src/picker/scheduling/plugins/picker/random-picker/random-picker';
import { WeightedRandomPicker } from '../../../../src/picker/scheduling/plugins/picker/weighted-random-picker/weighted-random-picker';
import { type RandomSource, SeededRandom } from '../../../../src/shared/random';
import { poolOf } from './support/pool';

const ROUNDS = 20_000;

function pick(picker: Picker, totals: readonly number[]): number[] {
  const picked = new Int32Array(picker.maxNumOfEndpoints);
  const { snapshot } = poolOf(...totals.map(() => ({})));
  const count = picker.pick(Float64Array.from(totals), totals.length, picked, snapshot, snapshot.ready);
  return [...picked.subarray(0, count)];
}

/** How often each list of positions is picked, as a share. */
function shares(picker: Picker, totals: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < ROUNDS; i++) {
    const key = pick(picker, totals).join();
    counts[key] = (counts[key] ?? 0) + 1 / ROUNDS;
  }
  return counts;
}

/** Within five standard deviations. */
function expectShares(actual: Record<string, number>, expected: Record<string, number>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [key, share] of Object.entries(expected)) {
    expect(Math.abs(actual[key]! - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / ROUNDS) + 1e-9);
  }
}

describe('pickers', () => {
  const random = (): RandomSource => new SeededRandom(3);

  test('max-score takes the highest, then the next ones', () => {
    expect(pick(new MaxScorePicker(3, random()), [1, 5, 3, 4])).toEqual([1, 3, 2]);
  });

  test('max-score breaks ties by chance, each as likely', () => {
    expectShares(shares(new MaxScorePicker(1, random()), [2, 7, 7, 1, 7]), { 1: 1 / 3, 2: 1 / 3, 4: 1 / 3 });
  });

  test('max-score puts tied fallbacks in any order, each as likely', () => {
    const sixth = 1 / 6;
    expectShares(shares(new MaxScorePicker(3, random()), [4, 4, 4]), {
      '0,1,2': sixth,
      '0,2,1': sixth,
      '1,0,2': sixth,
      '1,2,0': sixth,
      '2,0,1': sixth,
      '2,1,0': sixth,
    });
    expectShares(shares(new MaxScorePicker(2, random()), [1, 9, 1]), { '1,0': 0.5, '1,2': 0.5 });
  });

  test('max-score works with negative totals and one candidate', () => {
    expect(pick(new MaxScorePicker(2, random()), [-3, -1, -2])).toEqual([1, 2]);
    expect(pick(new MaxScorePicker(2, random()), [0])).toEqual([0]);
  });

  test('random ignores scores, and every order is as likely', () => {
    const twelfth = 1 / 12;
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b !== a).map((b) => [`${a},${b}`, twelfth] as const));
    expectShares(shares(new RandomPicker(2, random()), [9, 0, 0, 0]), Object.fromEntries(pairs));
  });

  test('random gives all candidates when more are wanted', () => {
    expect(pick(new RandomPicker(9, random()), [0, 0, 0]).sort()).toEqual([0, 1, 2]);
  });

  test('weighted-random picks in proportion to the totals', () => {
    expectShares(shares(new WeightedRandomPicker(1, random()), [1, 2, 5, 0]), { 0: 0.125, 1: 0.25, 2: 0.625 });
  });

  test('weighted-random picks the second in proportion to what is left', () => {
    expectShares(shares(new WeightedRandomPicker(2, random()), [1, 3]), { '0,1': 0.25, '1,0': 0.75 });
  });

  test('weighted-random with nothing but zeros is random, and zeros come last', () => {
    expectShares(shares(new WeightedRandomPicker(1, random()), [0, 0]), { 0: 0.5, 1: 0.5 });
    expectShares(shares(new WeightedRandomPicker(3, random()), [0, 0.001, 0]), { '1,0,2': 0.5, '1,2,0': 0.5 });
  });

  test('weighted-random survives weights so small that keys would underflow', () => {
    expectShares(shares(new WeightedRandomPicker(1, random()), [1e-300, 3e-300]), { 0: 0.25, 1: 0.75 });
  });
});
