import fc from 'fast-check';
import { type StickyTarget, stickyChoice, stickySeed } from '../../src/picker/director/sticky-choice';
import { fuzzRuns } from './corpus';

const SESSIONS = 4_000;
/** Five standard deviations of a share of as many sessions, at most. */
const NOISE_RATIO = 5 * Math.sqrt(0.25 / SESSIONS);

const targetsOf = (weights: readonly number[]): StickyTarget[] =>
  weights.map((weight, index) => ({ weight, seed: stickySeed('model', `pool-${index}`, 'model', '0') }));

/** Where each session goes; every kind of session id: counters, and texts of the same length. */
function choicesOf(targets: readonly StickyTarget[], kind: string): number[] {
  return Array.from({ length: SESSIONS }, (_, index) => stickyChoice(targets, `${kind}${index}`));
}

const sharesOf = (weights: readonly number[]): number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};

const anyWeights = fc
  .array(fc.integer({ min: 0, max: 1_000 }), { minLength: 2, maxLength: 6 })
  .filter((weights) => weights.some((weight) => weight > 0));
const kinds = fc.constantFrom('', 'user-', 'b5b3e4c2-77e0-4f0e-9d5f-00000000', '会话');

test('every target gets the share of the sessions that its weight says', () => {
  fc.assert(
    fc.property(anyWeights, kinds, (weights, kind) => {
      const choices = choicesOf(targetsOf(weights), kind);
      sharesOf(weights).forEach((share, index) => {
        const got = choices.filter((choice) => choice === index).length / SESSIONS;
        expect(Math.abs(got - share)).toBeLessThan(NOISE_RATIO);
        if (share === 0) expect(got).toBe(0);
      });
    }),
    { numRuns: fuzzRuns(60) },
  );
});

test('when one weight changes, sessions move to that target only, or away from it only, and no more than its share has changed by', () => {
  fc.assert(
    fc.property(anyWeights, fc.nat(5), fc.nat(1_000), kinds, (weights, at, weight, kind) => {
      const changed = at % weights.length;
      const after = weights.map((old, index) => (index === changed ? weight : old));
      fc.pre(after.some((value) => value > 0));
      const [before, now] = [choicesOf(targetsOf(weights), kind), choicesOf(targetsOf(after), kind)];
      const moved = before.map((from, index) => [from, now[index]!] as const).filter(([from, to]) => from !== to);
      // the other end of each move is the target whose weight has changed: 1 when it grew, 0 when it shrank
      const end = weight > weights[changed]! ? 1 : 0;
      expect(moved.every((move) => move[end] === changed)).toBe(true);
      const least = Math.abs(sharesOf(after)[changed]! - sharesOf(weights)[changed]!);
      expect(moved.length / SESSIONS).toBeLessThan(least + 2 * NOISE_RATIO);
    }),
    { numRuns: fuzzRuns(60) },
  );
});

test('a session stays where it is while nothing changes, whatever the order of the list and the scale of the weights', () => {
  fc.assert(
    fc.property(
      anyWeights,
      fc.string({ minLength: 1, maxLength: 200 }),
      fc.integer({ min: 2, max: 1_000 }),
      (weights, key, scale) => {
        const targets = targetsOf(weights);
        const chosen = targets[stickyChoice(targets, key)]!;
        const turned = [...targets].reverse();
        expect(turned[stickyChoice(turned, key)]!.seed).toEqual(chosen.seed);
        const scaled = targetsOf(weights.map((weight) => weight * scale));
        expect(scaled[stickyChoice(scaled, key)]!.seed).toEqual(chosen.seed);
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});

test('the sessions of one model’s canary are not those of another’s', () => {
  const seeded = (model: string): StickyTarget[] =>
    ['stable', 'next'].map((pool) => ({ weight: 1, seed: stickySeed(model, pool, model, '0') }));
  const [one, two] = [choicesOf(seeded('a'), 'user-'), choicesOf(seeded('b'), 'user-')];
  const alike = one.filter((choice, index) => choice === two[index]).length / SESSIONS;
  expect(Math.abs(alike - 0.5)).toBeLessThan(NOISE_RATIO);
});
