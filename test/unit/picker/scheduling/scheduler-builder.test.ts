import { SCHEDULING_PLUGINS } from '../../../../src/picker/scheduling/plugin-registry';
import {
  buildScheduler,
  LLMD_DEFAULT_SCHEDULING,
  type SchedulingConfig,
} from '../../../../src/picker/scheduling/scheduler-builder';
import type { PluginSpec } from '../../../../src/picker-config/endpoint-picker-config';
import { OWN_PLUGINS, PLUGIN_CATALOGUE } from '../../../../src/picker-config/plugin-catalogue';
import { ManualClock } from '../../../../src/shared/clock';
import { formatProblem } from '../../../../src/shared/problem';
import { SeededRandom } from '../../../../src/shared/random';
import { poolOf, requestFor } from './support/pool';

function build(config: SchedulingConfig) {
  return buildScheduler(config, { source: poolOf({}, {}), clock: new ManualClock(2), random: new SeededRandom(1) });
}

function faults(
  plugins: readonly PluginSpec[],
  profiles: SchedulingConfig['schedulingProfiles'] = [{ name: 'p', plugins: [] }],
): string[] {
  return build({ plugins, schedulingProfiles: profiles }).problems.map(formatProblem);
}

const one = (type: string, parameters: Record<string, unknown>): PluginSpec => ({ name: type, type, parameters });

describe('building a scheduler', () => {
  test("llm-d's default builds", () => {
    expect(build(LLMD_DEFAULT_SCHEDULING).problems).toEqual([]);
  });

  test("every scheduling plugin is a type of llm-d's, of the same kind, or one of ours", () => {
    for (const [type, { kind }] of SCHEDULING_PLUGINS) {
      if (!PLUGIN_CATALOGUE.has(type)) expect([type, OWN_PLUGINS.get(type)]).toEqual([type, kind]);
      else expect(PLUGIN_CATALOGUE.get(type)?.kinds).toEqual(expect.arrayContaining(kind.split('-and-')));
    }
  });

  test.each([
    [
      'queue-scorer',
      { weight: 2 },
      "AIG502 plugin type 'queue-scorer' has no parameter 'weight' (allowed: no parameters): correct or remove it [plugins[0].parameters.weight]",
    ],
    ['load-aware-scorer', { treshold: 5 }, /has no parameter 'treshold' \(allowed: threshold\): did you mean 'threshold'\?/],
    ['load-aware-scorer', { threshold: 0 }, /'threshold' .* has a wrong value \(got 0; allowed: a whole number of at least 1\)/],
    ['load-aware-scorer', { threshold: '128' }, /got '128'; allowed: a whole number of at least 1/],
    ['prefix-cache-scorer', { matchLengthWeight: 1.5 }, /got 1.5; allowed: a number from 0 to 1/],
    ['prefix-cache-scorer', { matchLengthScaleTokens: 0 }, /a whole number of at least 1/],
    ['prefix-cache-scorer', { blockSizeTokens: 16 }, /has no parameter 'blockSizeTokens'/],
    [
      'prefix-cache-scorer',
      { prefixMatchInfoProducerName: 'gone' },
      /AIG506 plugin 'prefix-cache-scorer' refers to a prefix producer that is not there \(got 'gone'/,
    ],
    ['approx-prefix-cache-producer', { autoTune: 'yes' }, /got 'yes'; allowed: true or false/],
    ['approx-prefix-cache-producer', { lruCapacityPerServer: -1 }, /a whole number from 1 to/],
    ['approx-prefix-cache-producer', { blockSize: 64 }, /has no parameter 'blockSize' \(allowed: autoTune, blockSizeTokens,/],
    ['max-score-picker', { maxNumOfEndpoints: 0 }, /got 0; allowed: a whole number from 1 to 100/],
    ['random-picker', { max: 2 }, /has no parameter 'max'/],
    ['single-profile-handler', { profile: 'x' }, /has no parameter 'profile' \(allowed: no parameters\)/],
    ['report-trust', { halfLifeMs: 1 }, /'halfLifeMs' .* has a wrong value \(got 1; allowed: a number from 100 to 600000\)/],
    ['report-trust', { grace: 1 }, /has no parameter 'grace' \(allowed: graceMs, graceIntervals, halfLifeMs\)/],
    ['circuit-breaker', { failuresToEject: 0.5 }, /got 0.5; allowed: a whole number from 1 to/],
    ['circuit-breaker', { maxEjectedRatio: 2 }, /got 2; allowed: a number from 0 to 1/],
    ['speed-estimator', { memoryRatio: 0 }, /got 0; allowed: a number from 0.5 to 1/],
    ['expected-cost-scorer', { coldFactor: 0 }, /got 0; allowed: a number from 1 to 1000/],
    ['expected-cost-scorer', { leastCostMs: 0 }, /got 0; allowed: a number from 0.001/],
    ['label-selector-filter', {}, /AIG504 .* has no selector/],
    ['label-selector-filter', { matchLabels: { a: 1 } }, /'matchLabels' has a wrong value/],
    [
      'label-selector-filter',
      { matchExpressions: [{ key: 'a', operator: 'Has' }] },
      /AIG503 a selector expression is wrong.*plugins\[0\].parameters.matchExpressions\[0\]/,
    ],
    ['label-selector-filter', { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }, /a selector expression is wrong/],
    [
      'label-selector-filter',
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
      /a selector expression is wrong/,
    ],
  ])('%s with %j is refused', (type, parameters, expected) => {
    const found = faults([one(type, parameters)]);
    expect(found).toHaveLength(1);
    expect(found[0]).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  test('all faults are told at once', () => {
    const plugins = [
      one('queue-scorer', { a: 1, b: 2 }),
      one('load-aware-scorer', { threshold: -1 }),
      one('max-score-picker', { maxNumOfEndpoints: 1.5 }),
    ];
    expect(faults(plugins, [])).toHaveLength(5);
  });

  test('one profile is wanted', () => {
    const profiles = ['a', 'b'].map((name) => ({ name, plugins: [] }));
    expect(faults([], profiles)).toEqual([
      "AIG510 single-profile-handler cannot choose among 2 profiles (got 'a, b'; allowed: exactly one profile): correct the scheduling profiles [schedulingProfiles]",
    ]);
    expect(faults([], [])[0]).toMatch(/cannot choose among 0 profiles/);
  });

  test('what holds for all profiles is said once', () => {
    const twice = ['a', 'b'].map((name) => ({ name, type: 'circuit-breaker' }));
    expect(faults(twice)).toEqual([
      "AIG510 several plugins are of type 'circuit-breaker', which holds for all profiles (got 'a, b'; allowed: one): keep one [plugins]",
    ]);
  });

  test('one picker is wanted, and none means max-score-picker', () => {
    const pickers = ['max-score-picker', 'random-picker'];
    const plugins = pickers.map((type) => ({ name: type, type }));
    expect(faults(plugins, [{ name: 'p', plugins: pickers.map((pluginRef) => ({ pluginRef })) }])[0]).toMatch(
      /AIG510 profile 'p' has several pickers/,
    );
    expect(faults(plugins, [{ name: 'p', plugins: [{ pluginRef: 'random-picker' }] }])).toEqual([]);
  });

  test('two prefix scorers may have producers of their own, listed after them', () => {
    const plugins: PluginSpec[] = [
      { name: 'short', type: 'prefix-cache-scorer', parameters: { prefixMatchInfoProducerName: 'small' } },
      { name: 'long', type: 'prefix-cache-scorer', parameters: { prefixMatchInfoProducerName: 'large' } },
      { name: 'small', type: 'approx-prefix-cache-producer', parameters: { maxPrefixBlocksToMatch: 1 } },
      { name: 'large', type: 'approx-prefix-cache-producer' },
    ];
    const { scheduler, problems } = build({
      plugins,
      schedulingProfiles: [{ name: 'p', plugins: [{ pluginRef: 'short' }, { pluginRef: 'long' }] }],
    });
    expect(problems).toEqual([]);
    const record = scheduler!.newRecord();
    const slot = scheduler!.schedule(requestFor('a'.repeat(256) + 'b'.repeat(768))).slot;
    scheduler!.schedule(requestFor('a'.repeat(256) + 'c'.repeat(768)), record);
    const [first, second] = [record.scores[slot], record.scores[record.verdicts.length + slot]];
    expect([first, second]).toEqual([1, 0.25]);
  });

  test.each([
    [{ matchLabels: { tier: 'a' } }, [0, 1]],
    [{ matchLabels: { tier: 'a', gpu: 'h100' } }, [0]],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['b', 'c'] }] }, [2]],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] }, [2, 3]],
    [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }, [0]],
    [{ matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] }, [1, 2, 3]],
    [{ matchLabels: { tier: 'a' }, matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] }, [1]],
    [{ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, []],
  ])('label-selector-filter %j', (parameters, expected) => {
    const source = poolOf({ labels: { tier: 'a', gpu: 'h100' } }, { labels: { tier: 'a' } }, { labels: { tier: 'b' } }, {});
    const config: SchedulingConfig = {
      plugins: [one('label-selector-filter', parameters), one('max-score-picker', { maxNumOfEndpoints: 9 })],
      schedulingProfiles: [{ name: 'p', plugins: [{ pluginRef: 'label-selector-filter' }, { pluginRef: 'max-score-picker' }] }],
    };
    const { scheduler } = buildScheduler(config, { source, clock: new ManualClock(2), random: new SeededRandom(1) });
    const { destination } = scheduler!.schedule(requestFor());
    const slots = destination
      .split(',')
      .filter(Boolean)
      .map((hostPort) => source.snapshot.byHostPort.get(hostPort));
    expect(slots.sort()).toEqual(expected);
  });
});
