import fc from 'fast-check';
import type { Flight, FlightOutcome } from '../../src/picker/scheduling/flight';
import type { EndpointSnapshot } from '../../src/picker/scheduling/interface/endpoint-snapshot';
import { MAX_ADAPTERS } from '../../src/picker/scheduling/interface/endpoint-table';
import type { Filter, Scorer } from '../../src/picker/scheduling/interface/plugins';
import { LearnedSpeed } from '../../src/picker/scheduling/learned-speed';
import { PluginFaults } from '../../src/picker/scheduling/plugin-faults';
import { PluginParameters } from '../../src/picker/scheduling/plugin-parameters';
import { type BuildContext, SCHEDULING_PLUGINS } from '../../src/picker/scheduling/plugin-registry';
import { ENDPOINT_ATTRIBUTES } from '../../src/picker/scheduling/plugins/endpoint-attributes';
import {
  ApproxPrefixCacheProducer,
  DEFAULT_APPROX_PREFIX_CACHE,
} from '../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { InflightLoadProducer } from '../../src/picker/scheduling/plugins/producer/inflight-load-producer/inflight-load-producer';
import { ProfileOutcome } from '../../src/picker/scheduling/profile';
import {
  buildScheduler,
  DEFAULT_SCHEDULING,
  LLMD_DEFAULT_SCHEDULING,
  type SchedulingConfig,
} from '../../src/picker/scheduling/scheduler-builder';
import { ManualClock } from '../../src/shared/clock';
import { SeededRandom } from '../../src/shared/random';
import { endpoint, type PoolMember, poolOf, requestFor } from '../unit/picker/scheduling/support/pool';
import { fuzzRuns } from './corpus';

const count = fc.oneof(fc.nat({ max: 200 }), fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true }));
const member: fc.Arbitrary<PoolMember> = fc.record({
  waiting: count,
  running: count,
  kv: fc.double({ min: 0, max: 1, noNaN: true }),
  ready: fc.boolean(),
  updatedAtMs: fc.constantFrom(0, 1, 900),
  labels: fc.record({ tier: fc.constantFrom('a', 'b') }),
});
const pool = fc.array(member, { maxLength: 24 });
/** Anything that other columns of the table may hold, by slot: what replicas, the circuit breaker and the measurements leave there. */
const traces = fc.array(
  fc.record({
    inFlight: fc.nat({ max: 500 }),
    sinceReport: fc.integer({ min: -50, max: 500 }),
    peerInFlight: count,
    prefillTokens: count,
    peerPrefillTokens: count,
    promptTokensInFlight: count,
    outputTokensInFlight: count,
    queueSeen: count,
    slownessRatio: fc.double({ min: 0, max: 20, noNaN: true }),
    measuredAtMs: fc.constantFrom(0, 1, 999),
    decodeMsPerToken: count,
    kvBlocks: count,
    blockSizeTokens: fc.constantFrom(0, 16, 64),
    gpuUsageRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    gpuUpdatedAtMs: fc.constantFrom(0, 900),
    admittedAtMs: fc.constantFrom(0, 1, 999),
  }),
  { maxLength: 24 },
);
type Traces = typeof traces extends fc.Arbitrary<infer T> ? T : never;

function leave(given: Traces, { table }: EndpointSnapshot): void {
  given.slice(0, table.capacity).forEach((trace, slot) => {
    for (const [column, value] of Object.entries(trace)) table[column as keyof typeof trace][slot] = value;
  });
}

const prompt = fc
  .tuple(fc.constantFrom('', 'system '.repeat(80), 'other '.repeat(400)), fc.string({ maxLength: 600 }))
  .map((parts) => parts.join(''));

function built(type: string, parameters: Record<string, unknown> = {}) {
  const producer = new ApproxPrefixCacheProducer({ ...DEFAULT_APPROX_PREFIX_CACHE, maxIndexEntries: 1000 });
  const problems: never[] = [];
  const reader = new PluginParameters(type, parameters, '', (path) => path, problems);
  const context: BuildContext = {
    name: type,
    faults: new PluginFaults(),
    random: new SeededRandom(1),
    clock: new ManualClock(1_000),
    speed: new LearnedSpeed(),
    prefixProducer: () => producer,
    inflightProducer: () => new InflightLoadProducer(false, true, producer),
  };
  return { ...SCHEDULING_PLUGINS.get(type)!.build(reader, context), producer };
}

const SCORERS = [...SCHEDULING_PLUGINS].filter(([, { kind }]) => kind.endsWith('scorer')).map(([type]) => type);
/** What a type cannot do without. */
const NEEDED: Readonly<Record<string, Record<string, unknown>>> = {
  'header-label-affinity-scorer': { headerName: 'x-tier', labelKey: 'tier' },
  'endpoint-attribute-scorer': { attributeKey: 'num_requests_running', algorithm: { type: 'linear_lower_is_better' } },
  'endpoint-attribute-filter': {
    attribute: 'kv_cache_usage_perc',
    algorithm: { type: 'threshold', threshold: { operator: 'LessThan', value: 0.5 } },
  },
  'label-selector-filter': { matchLabels: { tier: 'a' } },
  'context-length-aware': { label: 'tokens', enableFiltering: true },
  'utilization-filter': { conditions: [{ metric: 'waiting-queue', maxValue: 50 }] },
};
/** Each scorer, and the one for attributes with each of them. */
const SCORER_CASES: [string, Record<string, unknown> | undefined][] = [
  ...SCORERS.map((type): [string, Record<string, unknown> | undefined] => [type, NEEDED[type]]),
  ...[...ENDPOINT_ATTRIBUTES.keys()].flatMap((attributeKey) =>
    [undefined, { min: 1, max: 40 }].map((fixedRange): [string, Record<string, unknown>] => [
      'endpoint-attribute-scorer',
      {
        attributeKey,
        algorithm: {
          type: fixedRange === undefined ? 'linear_higher_is_better' : 'linear_lower_is_better',
          ...(fixedRange === undefined ? {} : { normalization: { fixedRange } }),
        },
      },
    ]),
  ),
];
const FILTERS = [...SCHEDULING_PLUGINS].filter(([, { kind }]) => kind.startsWith('filter')).map(([type]) => type);

describe('scheduling', () => {
  test.each(SCORER_CASES)('%s %j gives scores from 0 to 1, and only to the candidates', (type, parameters) => {
    fc.assert(
      fc.property(
        pool,
        traces,
        fc.array(prompt, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (members, left, prompts, matchLengthWeight) => {
          const { snapshot } = poolOf(...members);
          leave(left, snapshot);
          const { plugin, producer } = built(type, type === 'prefix-cache-scorer' ? { matchLengthWeight } : parameters);
          members.forEach((_, slot) => {
            snapshot.table.setAdapters(slot, slot % 4, ['llama', 'x'].slice(0, slot % 3), ['llama']);
          });
          const { ready } = snapshot;
          const totals = new Float64Array(ready.length + 2).fill(-7);
          totals.fill(0, 0, ready.length);
          for (const text of prompts) {
            totals.fill(0, 0, ready.length);
            if (ready.length === 0) continue;
            const own = (plugin as Scorer).producer;
            producer.prepare(requestFor(text), snapshot, ready, ready.length);
            if (own !== producer) own?.prepare(requestFor(text), snapshot, ready, ready.length);
            (plugin as Scorer).score(requestFor(text), snapshot, ready, ready.length, 1, totals);
            if (own !== producer) own?.picked(snapshot, ready[text.length % ready.length]!);
            producer.picked(snapshot, ready[text.length % ready.length]!);
            for (const score of totals.subarray(0, ready.length)) expect(score >= 0 && score <= 1).toBe(true);
            expect([...totals.subarray(ready.length)]).toEqual([-7, -7]);
          }
        },
      ),
      { numRuns: fuzzRuns(100) },
    );
  });

  test.each(FILTERS)('%s never invents, repeats or reorders endpoints', (type) => {
    fc.assert(
      fc.property(pool, traces, fc.array(prompt, { minLength: 1, maxLength: 3 }), (members, left, prompts) => {
        const { snapshot } = poolOf(...members);
        leave(left, snapshot);
        const { plugin, producer } = built(type, NEEDED[type]);
        const filter = plugin as Filter;
        for (const text of prompts) {
          const header = (name: string): string | undefined =>
            name === 'test-epp-endpoint-selection' ? '10.0.0.1' : text || undefined;
          const request = requestFor(text, { header });
          const candidates = snapshot.ready.slice();
          for (const each of new Set([producer, filter.producer]))
            each?.prepare(request, snapshot, candidates, candidates.length);
          const kept = filter.filter(request, snapshot, candidates, candidates.length);
          const list = [...candidates.subarray(0, kept)];
          expect(kept >= 0 && kept <= snapshot.ready.length).toBe(true);
          // in the order in which they were: a subsequence of what was given
          let at = -1;
          expect(list.every((slot) => (at = snapshot.ready.indexOf(slot, at + 1)) !== -1)).toBe(true);
          for (const each of new Set([producer, filter.producer])) if (kept > 0) each?.picked(snapshot, list[0]!);
        }
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  test('label-selector-filter keeps exactly the endpoints with the label', () => {
    fc.assert(
      fc.property(pool, fc.constantFrom('a', 'b', 'c'), (members, tier) => {
        const { snapshot } = poolOf(...members);
        const filter = built('label-selector-filter', { matchLabels: { tier } }).plugin as Filter;
        const candidates = snapshot.ready.slice();
        const kept = filter.filter(requestFor(), snapshot, candidates, candidates.length);
        const expected = [...snapshot.ready].filter((slot) => snapshot.endpoints[slot]!.labels['tier'] === tier);
        expect([...candidates.subarray(0, kept)]).toEqual(expected);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  const pickers = fc.constantFrom('max-score-picker', 'random-picker', 'weighted-random-picker');
  const configOf = (picker: string, maxNumOfEndpoints: number): SchedulingConfig => ({
    plugins: [...LLMD_DEFAULT_SCHEDULING.plugins, { name: picker, type: picker, parameters: { maxNumOfEndpoints } }],
    schedulingProfiles: [
      { name: 'p', plugins: [...LLMD_DEFAULT_SCHEDULING.schedulingProfiles[0]!.plugins, { pluginRef: picker }] },
    ],
  });
  const subsetEntry = fc.nat({ max: 30 }).chain((i) => fc.constantFrom(endpoint(i).hostPort, endpoint(i).address));
  const requests = fc.array(fc.tuple(prompt, fc.option(fc.array(subsetEntry, { maxLength: 4 }), { nil: undefined })), {
    maxLength: 12,
  });

  test('every destination is ready, in the subset, and named once; the same seed chooses the same', () => {
    fc.assert(
      fc.property(pool, requests, pickers, fc.integer({ min: 1, max: 5 }), fc.nat(), (members, asked, picker, wanted, seed) => {
        const run = (): string[] => {
          const source = poolOf(...members);
          const scheduler = buildScheduler(configOf(picker, wanted), {
            source,
            clock: new ManualClock(1000),
            random: new SeededRandom(seed),
          }).scheduler!;
          return asked.map(([text, subset]) => {
            const { outcome, destination } = scheduler.schedule(requestFor(text, { subset }));
            const eligible = members.flatMap(({ ready }, i) => {
              const { hostPort, address } = endpoint(i);
              return ready && (subset === undefined || subset.includes(hostPort) || subset.includes(address)) ? [hostPort] : [];
            });
            const chosen = destination.split(',').filter(Boolean);
            expect(chosen).toHaveLength(Math.min(wanted, eligible.length));
            expect(new Set(chosen).size).toBe(chosen.length);
            for (const hostPort of chosen) expect(eligible).toContain(hostPort);
            expect(outcome === ProfileOutcome.PICKED).toBe(eligible.length > 0);
            return destination;
          });
        };
        expect(run()).toEqual(run());
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  test('the default profile chooses the same with the same seed, also with old reports and while requests come and go', () => {
    fc.assert(
      fc.property(
        pool,
        traces,
        requests,
        fc.nat(),
        fc.array(fc.boolean(), { maxLength: 12 }),
        (members, left, asked, seed, ends) => {
          const run = (): string[] => {
            const source = poolOf(...members);
            leave(left, source.snapshot);
            const clock = new ManualClock(1000);
            const scheduler = buildScheduler(DEFAULT_SCHEDULING, { source, clock, random: new SeededRandom(seed) }).scheduler!;
            return asked.map(([text, subset], index) => {
              clock.advance(100);
              const { outcome, destination, flight } = scheduler.schedule(requestFor(text, { subset }));
              if (outcome === ProfileOutcome.PICKED && ends[index] === true) {
                scheduler.settle(flight, { status: 200, outputTokens: 20, firstByteMs: 30, cause: 'natural' });
              }
              return destination;
            });
          };
          expect(run()).toEqual(run());
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
  });

  const ending: fc.Arbitrary<FlightOutcome | undefined> = fc.option(
    fc.record({
      status: fc.constantFrom(0, 200, 404, 500, 503),
      outputTokens: fc.integer({ min: -1, max: 3_000 }),
      firstByteMs: fc.integer({ min: -1, max: 60_000 }),
      cause: fc.constantFrom('natural', 'client-disconnect', 'evicted', 'early-close', 'error'),
    }),
    { nil: undefined },
  );

  test('in-flight counts are exact at every moment, and zero when everything is settled', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('schedule' as const), bytes: fc.nat({ max: 5_000 }) }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), answered: fc.boolean(), outcome: ending }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('change' as const), keep: fc.array(fc.nat({ max: 40 }), { maxLength: 30 }) }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const source = poolOf({}, {}, {});
        const scheduler = buildScheduler(LLMD_DEFAULT_SCHEDULING, {
          source,
          clock: new ManualClock(1000),
          random: new SeededRandom(1),
        }).scheduler!;
        const open: Flight[] = [];
        const check = (): void => {
          const { table } = source.snapshot;
          const expected = new Array(table.capacity).fill(0);
          for (const { slot, generation } of open) if (table.generation[slot] === generation) expected[slot]++;
          expect([...table.inFlight]).toEqual(expected);
        };
        for (const action of steps) {
          if (action.kind === 'change') source.replaceAll(action.keep.map((i) => endpoint(i)));
          if (action.kind === 'settle' && open.length > 0) {
            const [flight] = open.splice(action.which % open.length, 1) as [Flight];
            if (action.answered) scheduler.answered(flight);
            scheduler.settle(flight, action.outcome);
          }
          if (action.kind === 'schedule') {
            const { outcome, flight } = scheduler.schedule(requestFor('p'.repeat(action.bytes)));
            if (outcome === ProfileOutcome.PICKED) open.push(flight);
          }
          check();
        }
        for (const flight of open.splice(0)) scheduler.settle(flight);
        check();
        const { table } = source.snapshot;
        for (const column of [table.prefillTokens, table.promptTokensInFlight, table.outputTokensInFlight]) {
          expect(column.every((tokens) => tokens === 0)).toBe(true);
        }
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  test('the adapters columns stay within their slot', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 100 }), fc.array(fc.string(), { maxLength: 100 }), (running, waiting) => {
        const { table } = poolOf({}, {}, {}).snapshot;
        table.setAdapters(1, 5, running, waiting);
        expect(table.runningAdapters[1]! + table.waitingAdapters[1]!).toBe(
          Math.min(MAX_ADAPTERS, running.length + waiting.length),
        );
        const pairs = MAX_ADAPTERS * 2;
        expect([...table.adapters.subarray(0, pairs), ...table.adapters.subarray(2 * pairs)].every((word) => word === 0)).toBe(
          true,
        );
      }),
      { numRuns: fuzzRuns(50) },
    );
  });
});
