import { CircuitBreaker } from '../../../../src/picker/scheduling/circuit-breaker';
import { EJECTED } from '../../../../src/picker/scheduling/decision-record';
import { Flight, type FlightOutcome } from '../../../../src/picker/scheduling/flight';
import { FlightBook, loadOf } from '../../../../src/picker/scheduling/flight-book';
import { LearnedSpeed } from '../../../../src/picker/scheduling/learned-speed';
import type { Scheduler } from '../../../../src/picker/scheduling/scheduler';
import { buildScheduler, DEFAULT_SCHEDULING, type SchedulingConfig } from '../../../../src/picker/scheduling/scheduler-builder';
import { ManualClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { poolOf, requestFor } from './support/pool';

const GOOD: FlightOutcome = { status: 200, outputTokens: 50, firstByteMs: 40, cause: 'natural' };
const BAD: FlightOutcome = { ...GOOD, status: 503, outputTokens: -1 };

function setUp(endpoints: number, signals: SchedulingConfig['plugins'] = []) {
  const pool = poolOf(...Array.from({ length: endpoints }, () => ({})));
  const clock = new ManualClock(10);
  const built = buildScheduler(
    { ...DEFAULT_SCHEDULING, plugins: [...DEFAULT_SCHEDULING.plugins, ...signals] },
    { source: pool, clock, random: new SeededRandom(1) },
  );
  return { pool, clock, scheduler: built.scheduler!, table: pool.snapshot.table };
}

/** Sends one request to a certain endpoint and ends it. */
function send(scheduler: Scheduler, slot: number, outcome: FlightOutcome): void {
  const { flight } = scheduler.schedule(requestFor('', { subset: [`10.0.0.${slot}`] }));
  expect(flight.slot).toBe(slot);
  scheduler.settle(flight, outcome);
}

test('requests that come between two reports spread, though the reports say the same of all', () => {
  const { scheduler, table } = setUp(4);
  for (let i = 0; i < 40; i++) scheduler.schedule(requestFor(`${i}`.repeat(800)));
  expect([...table.inFlight.subarray(0, 4)]).toEqual([10, 10, 10, 10]);
});

test('load is the report and what was sent and settled since; never less than what is in flight', () => {
  const { scheduler, table } = setUp(1);
  table.running[0] = 5;
  const first = scheduler.schedule(requestFor()).flight;
  scheduler.schedule(requestFor());
  expect(loadOf(table, 0)).toBe(7);
  scheduler.settle(first, GOOD);
  expect(loadOf(table, 0)).toBe(6);
  table.running[0] = 0;
  table.updatedAtMs[0] = 11;
  scheduler.schedule(requestFor());
  expect([table.sinceReport[0], loadOf(table, 0)]).toEqual([1, 2]);
});

test('tokens in line go when the answer begins, tokens of the answer when it ends', () => {
  const { scheduler, table } = setUp(1);
  const { flight } = scheduler.schedule(requestFor('p'.repeat(4_000)));
  expect([table.prefillTokens[0], table.promptTokensInFlight[0], table.outputTokensInFlight[0]]).toEqual([1_000, 1_000, 256]);
  scheduler.answered(flight);
  scheduler.answered(flight);
  expect([table.prefillTokens[0], table.promptTokensInFlight[0]]).toEqual([0, 1_000]);
  scheduler.settle(flight, GOOD);
  expect([table.promptTokensInFlight[0], table.outputTokensInFlight[0]]).toEqual([0, 0]);
});

test('how long answers are is learnt from the events of a stream where the engine does not say', () => {
  const { scheduler } = setUp(1);
  for (let i = 0; i < 5; i++) send(scheduler, 0, { ...GOOD, outputTokens: -1, deltas: 42 });
  expect(scheduler.schedule(requestFor()).flight.outputTokens).toBe(40);
});

test.each([
  ['when the request came', 1, 0],
  ['when its answer began', 0, 1],
])('how fast prompts are computed is not learnt from a wait for a place: a queue %s', (_, atPick, atAnswer) => {
  const speed = new LearnedSpeed();
  const book = new FlightBook(speed, new CircuitBreaker());
  const { table } = poolOf({}).snapshot;
  const before = speed.prefillMsPerToken;
  const end = (queue: readonly [atPick: number, atAnswer: number], tokens: number, firstByteMs: number): void => {
    const flight = new Flight(0, table.generation[0]!, 'llama', 0, tokens, tokens, 0, 50);
    table.waiting[0] = queue[0];
    book.departed(table, flight);
    table.waiting[0] = queue[1];
    book.answered(table, flight);
    table.waiting[0] = 0;
    book.settled(table, flight, { ...GOOD, firstByteMs }, firstByteMs + 1_000);
  };
  for (let i = 0; i < 50; i++) end([atPick, atAnswer], 100 + i, 3_000 - 20 * i);
  expect(speed.prefillMsPerToken).toBe(before);
  for (let i = 0; i < 50; i++) end([0, 0], 100 * i, 20 + 20 * i);
  expect(speed.prefillMsPerToken).toBeCloseTo(0.2, 2);
});

test('an endpoint that fails five times in a row is left out, tried by one request, and taken back or left out for longer', () => {
  const { scheduler, pool, table, clock } = setUp(3);
  const verdict = (): number => {
    const record = scheduler.newRecord();
    const { flight } = scheduler.schedule(requestFor(), record);
    scheduler.settle(flight);
    return record.verdicts[1]!;
  };
  for (let i = 0; i < 4; i++) send(scheduler, 1, BAD);
  expect(verdict()).not.toBe(EJECTED);
  send(scheduler, 1, BAD);
  expect(verdict()).toBe(EJECTED);
  clock.advance(5_001);
  const probe = scheduler.schedule(requestFor('', { subset: ['10.0.0.1'] })).flight;
  expect(verdict()).toBe(EJECTED);
  scheduler.settle(probe, BAD);
  clock.advance(5_001);
  expect(verdict()).toBe(EJECTED);
  clock.advance(5_000);
  send(scheduler, 1, GOOD);
  expect([table.ejections[1], table.failuresInRow[1], verdict() === EJECTED]).toEqual([0, 0, false]);
  expect(pool.snapshot.ready).toHaveLength(3);
});

test('answers that blame the client eject nobody, and never are more than half left out', () => {
  const { scheduler, table } = setUp(3);
  for (let i = 0; i < 9; i++) send(scheduler, 0, { ...BAD, status: 400 });
  for (let i = 0; i < 9; i++) send(scheduler, 0, { ...BAD, status: 0, cause: 'client-disconnect' });
  expect(table.ejections[0]).toBe(0);
  for (const slot of [0, 1, 2]) for (let i = 0; i < 5; i++) send(scheduler, slot, BAD);
  const seen = new Set(Array.from({ length: 60 }, () => scheduler.schedule(requestFor()).slot));
  expect(seen.size).toBe(3);
});

// few clients ask for the usage of a stream
test.each([
  ['its usage', GOOD],
  ['its events', { ...GOOD, outputTokens: -1, deltas: 52 }],
])('an engine that decodes four times as slowly gets less, as %s tells', (_, ended) => {
  const { scheduler, table, clock } = setUp(2);
  const open: { flight: ReturnType<Scheduler['schedule']>['flight']; endMs: number }[] = [];
  const counts = [0, 0];
  for (let i = 0; i < 3_000; i++) {
    clock.advance(10);
    for (const { flight } of open.filter(({ endMs }) => endMs <= clock.nowMs())) scheduler.settle(flight, ended);
    open.splice(0, open.length, ...open.filter(({ endMs }) => endMs > clock.nowMs()));
    if (i % 50 !== 0) continue;
    const { flight } = scheduler.schedule(requestFor(`${i}`.repeat(100)));
    counts[flight.slot]!++;
    open.push({ flight, endMs: clock.nowMs() + (flight.slot === 0 ? 400 : 1_600) });
  }
  expect(table.slownessRatio[1]).toBeGreaterThan(1.5);
  expect(counts[0]).toBeGreaterThan(1.5 * counts[1]!);
});

test('a decision tells what it saw, the weights, and who was chosen', () => {
  const { scheduler, pool } = setUp(2);
  const record = scheduler.newRecord();
  scheduler.schedule(requestFor('q'.repeat(400)), record);
  const [best, other] = record.explain(pool.snapshot).sort((a, b) => (a.chosen ?? 9) - (b.chosen ?? 9));
  expect(best).toMatchObject({
    verdict: 'kept',
    profile: 'default',
    chosen: 1,
    tied: true,
    weights: { 'expected-cost-scorer': 1 },
  });
  expect(best!.inputs).toMatchObject({ inFlight: 0, prefillTokens: 0, cachedTokens: 0, waiting: 0 });
  expect(other!.chosen).toBeUndefined();
  scheduler.schedule(requestFor('q'.repeat(400)), record);
  const caches = record.explain(pool.snapshot).map(({ inputs: { cachedTokens, cache } }) => ({ cachedTokens, ...cache }));
  const empty = { cachedTokens: 0, fillRatio: 0, lifetime: 0, refreshRatio: 0, demandRatio: 0 };
  expect(caches).toHaveLength(2);
  expect(caches).toEqual(
    expect.arrayContaining([empty, { ...empty, cachedTokens: 64, fillRatio: 1 / 31_250, lifetime: 31_250 }]),
  );
});

describe('signals that a configuration names', () => {
  const isOut = (scheduler: Scheduler, slot: number): boolean => {
    const record = scheduler.newRecord();
    scheduler.settle(scheduler.schedule(requestFor(), record).flight);
    return record.verdicts[slot] === EJECTED;
  };

  test('an endpoint is left out after as many failures, for as long, as it says', () => {
    const parameters = { failuresToEject: 2, firstEjectionSeconds: 1, maxEjectionSeconds: 1.5 };
    const { scheduler, clock } = setUp(3, [{ name: 'breaker', type: 'circuit-breaker', parameters }]);
    send(scheduler, 1, BAD);
    expect(isOut(scheduler, 1)).toBe(false);
    send(scheduler, 1, BAD);
    expect(isOut(scheduler, 1)).toBe(true);
    clock.advance(1_001);
    send(scheduler, 1, BAD);
    clock.advance(1_499);
    expect(isOut(scheduler, 1)).toBe(true);
    clock.advance(2);
    expect(isOut(scheduler, 1)).toBe(false);
  });

  test.each([
    [0, [false, false, false]],
    [0.5, [true, false, false]],
    [1, [true, true, false]],
  ])('of a pool at most a share of %d is left out, and never everyone', (maxEjectedRatio, expected) => {
    const parameters = { failuresToEject: 1, maxEjectedRatio };
    const { scheduler } = setUp(3, [{ name: 'breaker', type: 'circuit-breaker', parameters }]);
    const seen: boolean[] = [];
    for (let slot = 0; slot < 3; slot++) {
      send(scheduler, slot, BAD);
      seen.push(isOut(scheduler, slot));
    }
    expect(seen).toEqual(expected);
  });

  test('reports are believed for as long as it says', () => {
    const parameters = { graceMs: 1_000, graceIntervals: 0, halfLifeMs: 500 };
    const { scheduler, table, clock } = setUp(1, [{ name: 'trust', type: 'report-trust', parameters }]);
    table.updatedAtMs[0] = 10;
    clock.advance(1_500);
    scheduler.settle(scheduler.schedule(requestFor()).flight);
    expect(table.trustRatio[0]).toBeCloseTo(0.5, 9);
  });

  test('answers are taken to be as long, and slowness fades as fast, as it says', () => {
    const parameters = { priorOutputTokens: 40, slownessHalfLifeSeconds: 1 };
    const { scheduler, table, clock } = setUp(2, [{ name: 'speed', type: 'speed-estimator', parameters }]);
    const { flight } = scheduler.schedule(requestFor());
    expect(flight.outputTokens).toBe(40);
    scheduler.settle(flight);
    table.slownessRatio[0] = 4;
    table.measuredAtMs[0] = 10;
    const costRatio = (unseen: string): number => {
      const record = scheduler.newRecord();
      scheduler.settle(scheduler.schedule(requestFor(unseen.repeat(40_000)), record).flight);
      return record.totals[1]! / record.totals[0]!;
    };
    const slow = costRatio('x');
    clock.advance(1_000);
    expect([slow > 3.5, costRatio('y') < 3]).toEqual([true, true]);
  });
});
