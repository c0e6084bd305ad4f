import fc from 'fast-check';
import { defineScorer, type ScoreEndpoint } from '../../../../src/picker/scheduling/interface';
import { type FaultKind, PluginFaults } from '../../../../src/picker/scheduling/plugin-faults';
import { PluginParameters } from '../../../../src/picker/scheduling/plugin-parameters';
import { ApproxPrefixCacheProducer } from '../../../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { CustomScorerAdapter } from '../../../../src/picker/scheduling/plugins/scorer/custom-scorer/custom-scorer';
import { buildScheduler, type SchedulingConfig } from '../../../../src/picker/scheduling/scheduler-builder';
import { pluginsIn } from '../../../../src/picker-config/plugin-module';
import { ManualClock } from '../../../../src/shared/clock';
import { formatProblem } from '../../../../src/shared/problem';
import { SeededRandom } from '../../../../src/shared/random';
import { endpoint, poolOf, requestFor, scoresOf } from './support/pool';

function made(score: unknown, usesPrefixCache = false) {
  const told: [string, FaultKind, unknown][] = [];
  const faults = new PluginFaults((...fault) => told.push(fault));
  const definition = defineScorer({ type: 'mine', usesPrefixCache, create: () => score as ScoreEndpoint });
  const reader = new PluginParameters('mine', undefined, 'p', (path) => path, []);
  const context = { prefixProducer: () => ApproxPrefixCacheProducer.standard(), faults };
  return { scorer: CustomScorerAdapter.fromParameters('my-name', definition, reader, context), faults, told };
}

const failure = new Error('broken');

describe('a scorer of a user', () => {
  test('adds its weighted scores to those of others', () => {
    const { scorer } = made((_request: unknown, { waiting }: { waiting: number }) => 1 / (1 + waiting));
    expect(scoresOf(scorer, poolOf({ waiting: 0 }, { waiting: 1 }, { waiting: 3 }), requestFor(), 4)).toEqual([4, 2, 1]);
  });

  test.each<[string, unknown, FaultKind, unknown]>([
    [
      'throws',
      () => {
        throw failure;
      },
      'throw',
      failure,
    ],
    ['gives NaN', () => Number.NaN, 'not-a-number', Number.NaN],
    ['gives nothing', () => undefined, 'not-a-number', undefined],
    ['gives a promise', async () => 1, 'not-a-number', expect.any(Promise)],
    ['gives a text', () => '1', 'not-a-number', '1'],
  ])('that %s has no say in the decision, and is told of', (_, score, kind, detail) => {
    const { scorer, faults, told } = made(score);
    expect(scoresOf(scorer, poolOf({}, {}))).toEqual([0, 0]);
    expect(told).toEqual([['my-name', kind, detail]]);
    expect([...faults.counts.get('my-name')!]).toEqual([[kind, 1]]);
  });

  test('that fails in the middle of the list leaves nothing of the beginning', () => {
    let calls = 0;
    const { scorer } = made(() => {
      if (++calls === 2) throw failure;
      return 1;
    });
    expect(scoresOf(scorer, poolOf({}, {}, {}))).toEqual([0, 0, 0]);
  });

  test('that leaves 0 to 1 is brought back, each endpoint for itself, and told of', () => {
    const values = [-3, 0.5, Number.POSITIVE_INFINITY];
    const { scorer, told } = made((_request: unknown, { name }: { name: string }) => values[Number(name.slice(-1))]);
    expect(scoresOf(scorer, poolOf({}, {}, {}))).toEqual([0, 0.5, 1]);
    expect(told.map(([, kind, detail]) => [kind, detail])).toEqual([
      ['out-of-range', -3],
      ['out-of-range', Number.POSITIVE_INFINITY],
    ]);
  });

  test('never spoils a total, whatever it gives', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { minLength: 1, maxLength: 8 }), (values) => {
        let next = 0;
        const { scorer } = made(() => values[next++ % values.length]);
        for (const score of scoresOf(scorer, poolOf(...values.map(() => ({}))))) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('sees endpoints as they are now: new numbers, new labels, a larger table', () => {
    const store = poolOf({ waiting: 1, labels: { tier: 'a' } });
    const { scorer } = made((_request: unknown, { waiting, labels }: { waiting: number; labels: Record<string, string> }) =>
      labels['tier'] === 'a' ? waiting / 10 : 1,
    );
    expect(scoresOf(scorer, store)).toEqual([0.1]);
    store.snapshot.table.waiting[0] = 2;
    expect(scoresOf(scorer, store)).toEqual([0.2]);
    store.replaceAll([endpoint(0, { labels: { tier: 'b' } })]);
    expect(scoresOf(scorer, store)).toEqual([1]);
    store.replaceAll(Array.from({ length: 40 }, (_, i) => endpoint(i, { labels: { tier: 'a' } })));
    store.snapshot.table.waiting[39] = 7;
    expect(scoresOf(scorer, store)[39]).toBe(0.7);
  });
});

describe('building a scheduler with scorers of a user', () => {
  const build = (create: () => ScoreEndpoint, parameters?: Record<string, unknown>) => {
    const config: SchedulingConfig = {
      plugins: [{ name: 'x', type: 'mine', ...(parameters === undefined ? {} : { parameters }) }],
      schedulingProfiles: [{ name: 'p', plugins: [{ pluginRef: 'x', weight: 2 }] }],
    };
    const custom = [defineScorer({ type: 'mine', create })];
    const source = poolOf({}, {});
    return buildScheduler(config, { source, custom, clock: new ManualClock(1), random: new SeededRandom(1) });
  };

  test('they are named like any other', () => {
    const { scheduler, problems } = build(
      () =>
        (_request, { name }) =>
          name === 'engine-1' ? 1 : 0,
    );
    expect(problems).toEqual([]);
    expect(scheduler!.newRecord().names).toMatchObject({ scorers: ['x'], weights: [2] });
    expect(scheduler!.schedule(requestFor()).destination).toBe('10.0.0.1:8000');
  });

  test.each<[string, () => ScoreEndpoint, Record<string, unknown> | undefined, string]>([
    [
      'one that throws while it is made',
      () => {
        throw failure;
      },
      undefined,
      "AIG532 plugin 'x' of type 'mine' cannot be made: broken: mend its create(), or its parameters [plugins[0]]",
    ],
    [
      'one that makes no function',
      () => 5 as unknown as ScoreEndpoint,
      undefined,
      "AIG532 plugin 'x' of type 'mine' cannot be made: create gave no function: mend its create(), or its parameters [plugins[0]]",
    ],
    [
      'a parameter that nobody read',
      () => () => 1,
      { zone: 'a' },
      "AIG502 plugin type 'mine' has no parameter 'zone' (allowed: no parameters): correct or remove it [plugins[0].parameters.zone]",
    ],
  ])('%s is refused', (_, create, parameters, expected) => {
    expect(build(create, parameters).problems.map(formatProblem)).toEqual([expected]);
  });
});

describe('the plugins of a module', () => {
  const scorer = defineScorer({ type: 'mine', create: () => () => 1 });

  test('are those of its exports, and of lists among them, that defineScorer made', () => {
    expect(pluginsIn({ scorer, other: 5, helper: () => 1, nothing: null })).toEqual({ plugins: [scorer], faults: [] });
    expect(pluginsIn({ plugins: [scorer] }).plugins).toEqual([scorer]);
  });

  test.each<[string, unknown, RegExp]>([
    ['none', { helper: 1 }, /the file exports no plugin/],
    ['no module', 7, /the file exports no plugin/],
    ['another contract', { a: { ...scorer, contract: 2 } }, /made for another version/],
    ['another kind', { a: { ...scorer, kind: 'picker' } }, /made for another version/],
    ['a type that is none', { a: { ...scorer, type: 'My Scorer' } }, /a type that cannot be one/],
    ['a type of llm-d', { a: { ...scorer, type: 'queue-scorer' } }, /the type of one that is there already/],
    ['a type of ours', { a: { ...scorer, type: 'expected-cost-scorer' } }, /the type of one that is there already/],
    ['a type twice', { a: scorer, b: { ...scorer } }, /two plugins have the same type/],
    ['no create', { a: { ...scorer, create: 1 } }, /has no function 'create'/],
  ])('%s is refused', (_, exports, expected) => {
    const { plugins, faults } = pluginsIn(exports);
    expect(plugins).toEqual([]);
    expect(faults.map(({ what }) => what)).toEqual([expect.stringMatching(expected)]);
  });

  test('are read from anything without failing', () => {
    fc.assert(fc.property(fc.anything(), (value) => void pluginsIn(value)));
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.record({ contract: fc.anything(), kind: fc.anything(), type: fc.anything() })),
        (value) => void pluginsIn(value),
      ),
    );
  });
});
