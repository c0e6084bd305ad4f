import {
  type ModelRewrite,
  ModelRewrites,
  type RewriteRule,
  type RewriteTarget,
} from '../../../../src/picker/datastore/model-rewrites';
import { SeededRandom } from '../../../../src/shared/random';

const to = (...models: string[]): RewriteTarget[] => models.map((model) => ({ model }));
const rule = (models: string[], targets: RewriteTarget[]): RewriteRule => ({ models, targets });
const made = (day: number, ...rules: RewriteRule[]): ModelRewrite => ({
  name: `r${day}`,
  createdAt: `2026-01-0${day}T00:00:00Z`,
  rules,
});

function table(...rewrites: ModelRewrite[]): ModelRewrites {
  const known = new ModelRewrites(new SeededRandom(3));
  known.replaceAll(rewrites);
  return known;
}

test.each<[string, ModelRewrite[], string, string | undefined]>([
  ['no rule', [], 'm', undefined],
  ['a rule for another model', [made(1, rule(['x'], to('y')))], 'm', undefined],
  ['an exact match', [made(1, rule(['m'], to('n')))], 'm', 'n'],
  ['a rule for every model', [made(1, rule([], to('n')))], 'm', 'n'],
  ['a rule for every model, and none named', [made(1, rule([], to('n')))], '', 'n'],
  [
    'exact goes before general, also when younger',
    [made(1, rule([], to('general'))), made(2, rule(['m'], to('exact')))],
    'm',
    'exact',
  ],
  ['the oldest of two exact ones', [made(3, rule(['m'], to('young'))), made(2, rule(['m'], to('old')))], 'm', 'old'],
  ['the oldest of two general ones', [made(3, rule([], to('young'))), made(2, rule([], to('old')))], 'm', 'old'],
  ['the first rule of one rewrite', [made(1, rule(['m'], to('first')), rule(['m'], to('second')))], 'm', 'first'],
  ['one of several models of a rule', [made(1, rule(['a', 'm'], to('n')))], 'm', 'n'],
  ['a rule without targets says nothing', [made(1, rule(['m'], [])), made(2, rule(['m'], to('n')))], 'm', 'n'],
])('a rewrite: %s', (_, rewrites, model, target) => {
  expect(table(...rewrites).targetOf(model)).toBe(target);
});

test.each<[string, RewriteTarget[], Record<string, number>]>([
  [
    'by weight',
    [
      { model: 'a', weight: 3 },
      { model: 'b', weight: 1 },
    ],
    { a: 0.75, b: 0.25 },
  ],
  ['evenly without weights', to('a', 'b', 'c', 'd'), { a: 0.25, b: 0.25, c: 0.25, d: 0.25 }],
  [
    'never to one without a weight among others with one',
    [{ model: 'a' }, { model: 'b', weight: 5 }, { model: 'c', weight: 5 }],
    { b: 0.5, c: 0.5 },
  ],
])('requests are shared %s', (_, targets, shares) => {
  const rewrites = table(made(1, rule(['m'], targets)));
  const counts: Record<string, number> = {};
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const model = rewrites.targetOf('m')!;
    counts[model] = (counts[model] ?? 0) + 1;
  }
  expect(Object.keys(counts).sort()).toEqual(Object.keys(shares).sort());
  // five standard deviations at most
  for (const [model, share] of Object.entries(shares)) {
    expect(Math.abs(counts[model]! / draws - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / draws));
  }
});
