import fc from 'fast-check';
import type { Flight, FlightOutcome } from '../../src/picker/scheduling/flight';
import { MAX_ADAPTERS } from '../../src/picker/scheduling/interface/endpoint-table';
import type { Filter, Scorer } from '../../src/picker/scheduling/interface/plugins';
import { LearnedSpeed } from '../../src/picker/scheduling/learned-speed';
import { PluginFaults } from '../../src/picker/scheduling/plugin-faults';
import { PluginParameters } from '../../src/picker/scheduling/plugin-parameters';
import { type BuildContext, SCHEDULING_PLUGINS } from '../../src/picker/scheduling/plugin-registry';
import {
  ApproxPrefixCacheProducer,
  DEFAULT_APPROX_PREFIX_CACHE,
} from '../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { InflightLoadProducer } from '../../src/picker/scheduling/plugins/producer/inflight-load-producer/inflight-load-producer';
import { ProfileOutcome } from '../../src/picker/scheduling/profile';
import { buildScheduler, LLMD_DEFAULT_SCHEDULING, type SchedulingConfig } from '../../src/picker/scheduling/scheduler-builder';
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
};

describe('scheduling', () => {
  test.each(SCORERS)('%s gives scores from 0 to 1, and only to the candidates', (type) => {
    fc.assert(
      fc.property(
        pool,
        fc.array(prompt, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (members, prompts, matchLengthWeight) => {
          const { snapshot } = poolOf(...members);
          const { plugin, producer } = built(type, type === 'prefix-cache-scorer' ? { matchLengthWeight } : NEEDED[type]);
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

  test('filters never invent, repeat or reorder endpoints', () => {
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
