import { ConcurrencySaturation, UtilizationSaturation } from '../../../../src/picker/flow-control/llmd-saturation';
import { LoadSaturation } from '../../../../src/picker/flow-control/load-saturation';
import { followReports } from '../../../../src/picker/scheduling/flight-book';
import { EndpointTable } from '../../../../src/picker/scheduling/interface/endpoint-table';
import { trustRatio } from '../../../../src/picker/scheduling/trust';
import { pool } from './support';

type Column =
  | 'waiting'
  | 'running'
  | 'kvUsageRatio'
  | 'trustRatio'
  | 'inFlight'
  | 'sinceReport'
  | 'atOnce'
  | 'fullAtMs'
  | 'prefillTokens';

/** One endpoint that reported at 1,000 ms, with these facts. */
function table(facts: Partial<Record<Column, number>>): EndpointTable {
  const made = new EndpointTable(1);
  made.updatedAtMs[0] = 1_000;
  made.trustRatio[0] = 1;
  for (const [column, value] of Object.entries(facts)) made[column as Column][0] = value;
  return made;
}

describe('load', () => {
  const load = new LoadSaturation(5, 0.95);
  const level = (facts: Parameters<typeof table>[0], nowMs = 1_000): number => load.level(table(facts), 0, nowMs);
  const FULL = { atOnce: 10, fullAtMs: 1_000 };

  test.each([
    ['idle', {}, 0],
    ['half of what it can', { ...FULL, running: 5 }, 0.45],
    ['all that it can', { ...FULL, running: 10 }, 0.9],
    ['and two wait', { ...FULL, running: 10, waiting: 2 }, 0.94],
    ['and five wait', { ...FULL, running: 10, waiting: 5 }, 1],
    ['sent since the report', { ...FULL, running: 10, sinceReport: 5, inFlight: 5 }, 1],
    ['settled since the report', { ...FULL, running: 10, waiting: 5, sinceReport: -5 }, 0.9],
    ['never fewer than its own', { ...FULL, inFlight: 10 }, 0.9],
    ['a full cache', { ...FULL, kvUsageRatio: 0.95 }, 1],
    ['half a cache', { ...FULL, kvUsageRatio: 0.475 }, 0.5],
    ['never full, few running', { running: 16 }, 0.45],
    ['never full, many running', { atOnce: 100, running: 100 }, 0.45],
  ])('%s', (_, facts, expected) => {
    expect(level(facts)).toBeCloseTo(expected, 6);
  });

  test('what fits grows with the cube of the time since there was a queue', () => {
    const facts = { ...FULL, running: 10 };
    expect(level(facts, 1_000 + 30_000)).toBeCloseTo(0.9 / 1.125, 6);
    expect(level(facts, 1_000 + 60_000)).toBeCloseTo(0.45, 6);
  });

  test('B9, F1: a report that fades leaves the picker’s own count', () => {
    const facts = { ...FULL, running: 10, waiting: 50, kvUsageRatio: 1, inFlight: 2 };
    expect(level(facts)).toBeGreaterThan(1);
    expect(level({ ...facts, trustRatio: 0 })).toBeCloseTo(0.18, 6);
    // 200 ms of silence are no reason to doubt
    expect(trustRatio(1_000, 50, 1_000 + 400)).toBe(1);
  });

  test('B9: an endpoint that never reported takes what vLLM does', () => {
    const silent = table({ trustRatio: 0, inFlight: 128 });
    silent.updatedAtMs[0] = 0;
    expect(load.level(silent, 0, 1_000)).toBeCloseTo(0.45, 6);
  });
});

test('what an endpoint can work on is seen when it has a queue in two reports, and never before', () => {
  const { store } = pool('pool', 1);
  const made = store.snapshot.table;
  const report = (atMs: number, running: number, waiting: number): void => {
    made.updatedAtMs[0] = atMs;
    made.running[0] = running;
    made.waiting[0] = waiting;
    followReports(store.snapshot, atMs);
  };
  report(1_000, 4, 0);
  expect([made.atOnce[0], made.fullAtMs[0]]).toEqual([4, 0]);
  // newcomers that are about to be taken are no queue
  report(1_050, 8, 3);
  expect([made.atOnce[0], made.fullAtMs[0]]).toEqual([8, 0]);
  report(1_100, 6, 3);
  expect([made.atOnce[0], made.fullAtMs[0]]).toEqual([6, 1_100]);
  report(1_150, 9, 0);
  expect([made.atOnce[0], made.fullAtMs[0]]).toEqual([9, 1_100]);
});

describe('llm-d’s utilization-detector', () => {
  const detector = new UtilizationSaturation(5, 0.8);
  const level = (facts: Parameters<typeof table>[0]): number => detector.level(table(facts), 0, 1_000);

  test.each([
    ['idle', {}, 0],
    ['a queue', { waiting: 5, running: 3 }, 1],
    ['a cache', { kvUsageRatio: 0.8 }, 1],
    ['F2: a burst since the report, where there was a queue', { waiting: 1, running: 8, sinceReport: 4 }, 1],
    ['answers since the report', { waiting: 5, running: 8, sinceReport: -3 }, 0.4],
    ['a burst into an idle engine, which works on it', { sinceReport: 30 }, 0],
    ['F2: a burst beyond what fits', { atOnce: 10, fullAtMs: 1_000, running: 8, sinceReport: 7 }, 1],
    ['F1: no trust', { waiting: 50, kvUsageRatio: 1, trustRatio: 0 }, 0],
  ])('%s', (_, facts, expected) => {
    expect(level(facts)).toBeCloseTo(expected, 6);
  });
});

test.each([
  ['requests', 10, Number.POSITIVE_INFINITY, 0.5],
  ['tokens', Number.POSITIVE_INFINITY, 1_000, 0.25],
  ['both', 10, 300, 250 / 300],
])('llm-d’s concurrency-detector counts %s', (_, maxRequests, maxTokens, expected) => {
  const detector = new ConcurrencySaturation(maxRequests, maxTokens, ({ prefillTokens }, slot) => prefillTokens[slot]!);
  expect(detector.level(table({ inFlight: 5, prefillTokens: 250 }), 0)).toBeCloseTo(expected, 6);
});
