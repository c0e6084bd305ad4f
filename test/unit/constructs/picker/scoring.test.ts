import fc from 'fast-check';
import { EndpointChooser } from '../../../../src/constructs/values/endpoint-chooser';
import { Filter } from '../../../../src/constructs/values/filter';
import { PickerSignal } from '../../../../src/constructs/values/picker-signal';
import { Scorer } from '../../../../src/constructs/values/scorer';
import { Scoring } from '../../../../src/constructs/values/scoring';
import { FLOW_CONTROL_PLUGINS } from '../../../../src/picker/flow-control/llmd-settings';
import { PROGRAM_PLUGINS } from '../../../../src/picker/program/unsupported';
import { DEFAULT_SIGNALS } from '../../../../src/picker/scheduling/own-signals';
import { SCHEDULING_PLUGINS } from '../../../../src/picker/scheduling/plugin-registry';
import { DEFAULT_EXPECTED_COST } from '../../../../src/picker/scheduling/plugins/scorer/expected-cost-scorer/expected-cost-scorer';
import { buildScheduler } from '../../../../src/picker/scheduling/scheduler-builder';
import { checkPlugins } from '../../../../src/picker-config/check-plugins';
import { formatEndpointPickerConfig } from '../../../../src/picker-config/endpoint-picker-config';
import { parseEndpointPickerConfig } from '../../../../src/picker-config/endpoint-picker-config-parser';
import { OWN_PLUGINS, PLUGIN_CATALOGUE } from '../../../../src/picker-config/plugin-catalogue';
import { ManualClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { poolOf } from '../../picker/scheduling/support/pool';
import { EVERY_CHOOSER, EVERY_PLUGIN } from './every-plugin';
import { aPicker } from './support';

const weightsOf = (scoring: Scoring) =>
  Object.fromEntries(
    scoring
      ._config()!
      .schedulingProfiles[0]!.plugins.filter(({ weight }) => weight !== undefined)
      .map((step) => [step.pluginRef, step.weight]),
  );
const stepsOf = (scoring: Scoring) => scoring._config()!.schedulingProfiles[0]!.plugins.map(({ pluginRef }) => pluginRef);

describe('ready-made scorings', () => {
  it('has the weights of llm-d', () => {
    expect(weightsOf(Scoring.llmdDefault())).toEqual({
      'queue-scorer': 2,
      'kv-cache-utilization-scorer': 2,
      'prefix-cache-scorer': 3,
    });
  });

  it('weighs the load of the GPU above reuse', () => {
    const weights = weightsOf(Scoring.gpuAware());
    expect(weights['kv-cache-utilization-scorer']! + weights['queue-scorer']!).toBeGreaterThan(
      weights['prefix-cache-scorer']! + weights['lora-affinity-scorer']!,
    );
  });

  it('leaves the picker to its own formula', () => {
    expect(Scoring.default()._config()).toBeUndefined();
    expect(Scoring.default().isOwnDefault).toBe(true);
  });
});

describe('a scoring', () => {
  it('takes another weight for a scorer that it has', () => {
    expect(weightsOf(Scoring.llmdDefault().with(Scorer.prefixCache({ weight: 7 })))).toEqual({
      'queue-scorer': 2,
      'kv-cache-utilization-scorer': 2,
      'prefix-cache-scorer': 7,
    });
  });

  it('filters, scores and chooses in this order, however it was put together', () => {
    const scoring = Scoring.of(Scorer.queue())
      .withPicker(EndpointChooser.weightedRandom())
      .withFilter(Filter.decode())
      .with(Scorer.loadAware());
    expect(stepsOf(scoring)).toEqual(['decode-filter', 'queue-scorer', 'load-aware-scorer', 'weighted-random-picker']);
  });

  it('keeps two filters of one type apart by name', () => {
    const scoring = Scoring.llmdDefault()
      .withFilter(Filter.podLabels({ zone: 'a' }))
      .withFilter(Filter.podLabels({ gpu: 'h100' }));
    expect(stepsOf(scoring).slice(0, 2)).toEqual(['label-selector-filter', 'label-selector-filter-2']);
  });

  it('names the producer that a scorer cannot do without, once', () => {
    const config = Scoring.of(Scorer.tokenLoad()).with(Scorer.queue())._config()!;
    expect(config.plugins.map(({ type }) => type)).toEqual(['token-load-scorer', 'queue-scorer', 'inflight-load-producer']);
    expect(config.schedulingProfiles[0]!.plugins).toHaveLength(2);
  });

  it('is a value: nothing changes the one that it came from', () => {
    const base = Scoring.llmdDefault();
    base.with(Scorer.loadAware()).withFilter(Filter.decode()).withPicker(EndpointChooser.random());
    expect(stepsOf(base)).toHaveLength(3);
  });
});

describe('what only our picker has', () => {
  const builds = (scoring: Scoring) => {
    const config = scoring._config()!;
    const { problems } = buildScheduler(
      {
        ...config,
        schedulingProfiles: config.schedulingProfiles.length === 0 ? [{ name: 'p', plugins: [] }] : config.schedulingProfiles,
      },
      { source: poolOf(), clock: new ManualClock(), random: new SeededRandom(1) },
    );
    return problems;
  };

  it('is the default with its constants written out, when each is given its default', () => {
    const scoring = Scoring.of(Scorer.expectedCost(DEFAULT_EXPECTED_COST)).withPicker(
      EndpointChooser.powerOfK({ choices: 2, minTrustRatio: 0.5 }),
    );
    expect(stepsOf(scoring)).toEqual(['expected-cost-scorer', 'power-of-k-picker']);
    expect(scoring._config()!.plugins[0]!.parameters).toEqual(DEFAULT_EXPECTED_COST);
    expect(builds(scoring)).toEqual([]);
  });

  it('has signals for every profile, also for the default one; the last word counts', () => {
    const signals = [
      PickerSignal.reportTrust(DEFAULT_SIGNALS.trust),
      PickerSignal.circuitBreaker({ failuresToEject: 9 }),
      PickerSignal.circuitBreaker(DEFAULT_SIGNALS.breaker),
      PickerSignal.speedEstimator(DEFAULT_SIGNALS.speed),
    ];
    for (const base of [Scoring.default(), Scoring.llmdDefault()]) {
      const scoring = signals.reduce((sum, signal) => sum.withSignal(signal), base);
      const own = scoring._config()!.plugins.filter(({ type }) => OWN_PLUGINS.get(type) === 'signal');
      expect(own.map(({ parameters }) => parameters)).toEqual([
        DEFAULT_SIGNALS.trust,
        DEFAULT_SIGNALS.breaker,
        DEFAULT_SIGNALS.speed,
      ]);
      expect(builds(scoring)).toEqual([]);
      expect(scoring.isOwnDefault).toBe(base.isOwnDefault);
    }
    expect(Scoring.default().withSignal(signals[0]!)._config()!.schedulingProfiles).toEqual([]);
    expect(Scoring.default().withSignal(signals[0]!).withSignal(signals[1]!)._config()!.plugins).toHaveLength(2);
  });

  it('asks DCGM exporters where it shall, and says what the picker needs for that', () => {
    const scoring = Scoring.of(
      Scorer.custom('endpoint-attribute-scorer', { attributeKey: 'GPUUtilization/dcgm-extractor' }),
    ).withSignal(PickerSignal.gpuUsage({ port: 9_401, useNodeAddress: true }));
    const { plugins, dataLayer } = scoring._config()!;
    expect(plugins.slice(1)).toEqual([
      { name: 'dcgm-data-source', type: 'dcgm-data-source', parameters: { port: 9_401, useNodeAddress: true } },
      { name: 'dcgm-extractor', type: 'dcgm-extractor' },
    ]);
    expect(dataLayer).toEqual({
      injectDefaults: true,
      sources: [{ pluginRef: 'dcgm-data-source', extractors: ['dcgm-extractor'] }],
    });
    expect(() => aPicker({ scoring }).objects()).toThrow(/dcgm-data-source' is Alpha.*--allow-experimental-plugins/);
    expect(() => aPicker({ scoring, extraArgs: ['--allow-experimental-plugins'] }).objects()).not.toThrow();
    expect(() => PickerSignal.gpuUsage({ port: 0 })).toThrow(/AIG451 port of PickerSignal.gpuUsage/);
  });

  it('keeps its signals when scorers are added behind them', () => {
    const scoring = Scoring.llmdDefault()
      .withSignal(PickerSignal.reportTrust({ graceMs: 1 }))
      .with(Scorer.loadAware());
    expect(scoring._config()!.plugins.map(({ type }) => type)).toContain('report-trust');
  });

  it.each([
    [() => PickerSignal.reportTrust({ halfLifeMs: 0 }), /AIG451 halfLifeMs of PickerSignal.reportTrust.*100 to 600000/],
    [() => PickerSignal.circuitBreaker({ maxEjectedRatio: 1.1 }), /AIG451 maxEjectedRatio/],
    [() => PickerSignal.speedEstimator({ maxModels: 0.5 }), /AIG451 maxModels .*a whole number/],
    [() => Scorer.expectedCost({ coldFactor: 0.5 }), /AIG451 coldFactor of Scorer.expectedCost/],
    [() => EndpointChooser.powerOfK({ choices: 0 }), /AIG451 choices of EndpointChooser.powerOfK/],
  ])('refuses numbers that the picker would refuse', (make, message) => {
    expect(make).toThrow(message);
  });

  it('is mounted as a file of the picker', () => {
    const { objects } = aPicker({ scoring: Scoring.default().withSignal(PickerSignal.circuitBreaker({ failuresToEject: 3 })) });
    const text = JSON.stringify(objects());
    expect([text.includes('--config-file='), text.includes('failuresToEject: 3')]).toEqual([true, true]);
  });
});

describe('the configuration that a scoring becomes', () => {
  it.each([
    ['Scoring.llmdDefault()', Scoring.llmdDefault()],
    ['Scoring.gpuAware()', Scoring.gpuAware()],
    ['every factory', EVERY_PLUGIN],
    ['random', Scoring.of(Scorer.queue()).withPicker(EndpointChooser.random({ maxEndpoints: 2 }))],
  ])('of %s is read back unchanged, without a problem or a warning', (_, scoring) => {
    const config = scoring._config()!;
    const parsed = parseEndpointPickerConfig(formatEndpointPickerConfig(config), 'config.yaml');
    expect([parsed.problems, parsed.warnings]).toEqual([[], []]);
    expect(parsed.config).toEqual(JSON.parse(JSON.stringify(config)));
  });

  it('names only types of llm-d that load without leave, each where it has an effect', () => {
    const support = { supported: new Set(PLUGIN_CATALOGUE.keys()), allowExperimental: false };
    expect(checkPlugins(EVERY_PLUGIN._config()!, support, (path) => path)).toEqual([]);
  });

  it('of our picker names only what the picker has: the catalogue knows no other way out exactly for what it loads', () => {
    const loads = new Set([...SCHEDULING_PLUGINS.keys(), ...PROGRAM_PLUGINS, ...FLOW_CONTROL_PLUGINS]);
    for (const { type, instead } of PLUGIN_CATALOGUE.values())
      expect([type, loads.has(type)]).toEqual([type, instead === undefined]);
    for (const { type } of EVERY_PLUGIN._config()!.plugins) expect([type, SCHEDULING_PLUGINS.has(type)]).toEqual([type, true]);
    for (const type of OWN_PLUGINS.keys()) expect([type, SCHEDULING_PLUGINS.has(type)]).toEqual([type, true]);
  });

  it('has the parameters that our picker takes', () => {
    for (const scoring of [EVERY_PLUGIN, ...EVERY_CHOOSER]) {
      const { plugins, schedulingProfiles } = scoring._config()!;
      const ours = plugins.filter(({ type }) => SCHEDULING_PLUGINS.has(type));
      const names = new Set(ours.map(({ name }) => name));
      const steps = schedulingProfiles[0]!.plugins.filter(({ pluginRef }) => names.has(pluginRef));
      const dependencies = { source: poolOf(), clock: new ManualClock(), random: new SeededRandom(1) };
      const built = buildScheduler({ plugins: ours, schedulingProfiles: [{ name: 'default', plugins: steps }] }, dependencies);
      expect(built.problems).toEqual([]);
      expect(ours.length).toBeGreaterThanOrEqual(8);
    }
  });

  it('has every weight and threshold that was given', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 1e9 }), (weight, scale) => {
        const scoring = Scoring.of(Scorer.prefixCache({ weight, matchLengthScaleTokens: scale }));
        const { config } = parseEndpointPickerConfig(formatEndpointPickerConfig(scoring._config()!), 'config.yaml');
        expect(config!.schedulingProfiles[0]!.plugins).toEqual([{ pluginRef: 'prefix-cache-scorer', weight }]);
        expect(config!.plugins[0]!.parameters).toEqual({ matchLengthScaleTokens: scale });
      }),
      { numRuns: 50 },
    );
  });
});

describe('what no scoring can be', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a weight of 0',
      () => Scorer.queue({ weight: 0 }),
      /^AIG451 weight of the scorer 'queue-scorer' .*got '0'; allowed: more than 0 to 1000000/,
    ],
    ['a negative weight', () => Scorer.custom('x', {}, -1), /^AIG451/],
    ['a weight that is no number', () => Scorer.queue({ weight: Number.NaN }), /^AIG451 .*got 'NaN'/],
    [
      'a share above 1',
      () => Scorer.prefixCache({ matchLengthWeight: 1.1 }),
      /^AIG451 matchLengthWeight of Scorer.prefixCache .*allowed: 0 to 1/,
    ],
    ['half a token', () => Scorer.tokenLoad({ queueThresholdTokens: 0.5 }), /^AIG451 .*a whole number, 1 or more/],
    ['nine endpoints', () => EndpointChooser.maxScore({ maxEndpoints: 9 }), /^AIG451 .*1 to 8/],
    ['a filter that keeps everything', () => Filter.podLabels({}), /^AIG451 .*no label/],
    ['a type with a capital', () => Scorer.custom('Queue'), /^AIG450 Scorer.custom .*'Queue'/],
    ['an empty type', () => Filter.custom(''), /^AIG450/],
    ['two scorers of one type', () => Scoring.of(Scorer.queue(), Scorer.queue({ weight: 2 })), /^AIG452 .*queue-scorer/],
    ['a scorer beside our own formula', () => Scoring.default().with(Scorer.queue()), /^AIG453 .*\.with\(\)/],
    ['a filter before our own formula', () => Scoring.default().withFilter(Filter.decode()), /^AIG453 .*\.withFilter\(\)/],
    ['a chooser behind our own formula', () => Scoring.default().withPicker(EndpointChooser.random()), /^AIG453/],
    ['a chooser as a scorer', () => aPicker({ scoring: Scoring.of(Scorer.custom('max-score-picker')) }), /^AIG450 .*picker/],
    [
      'a plugin that our picker lacks',
      () => aPicker({ scoring: Scoring.llmdDefault().withFilter(Filter.custom('slo-headroom-tier-filter')) }),
      /^AIG508 scoring: .*'slo-headroom-tier-filter'/,
    ],
    [
      'an Alpha plugin without leave',
      () => aPicker({ scoring: Scoring.of(Scorer.custom('multicluster-queue-scorer')) }),
      /^AIG508/,
    ],
  ])('%s is refused', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
