import { Calendar } from '../../../../src/picker/tokens/calendar';
import type { PolicyLimit } from '../../../../src/picker-config/picker-policy';
import { ManualClock } from '../../../../src/shared/clock';
import { limit, outcome, subject, world } from './support';

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);
const { windowSeconds: _, ...timeless } = limit();
const monthly = (changes: Partial<PolicyLimit> = {}): PolicyLimit => ({
  ...timeless,
  calendarWindow: { period: 'month', timeZone: 'Europe/Berlin' },
  ...changes,
});

describe('periods of a time zone', () => {
  test.each([
    ['a day', 'day', 'UTC', '2026-11-24T02:00:00Z', '2026-11-24T00:00:00Z', '2026-11-25T00:00:00Z'],
    ['a day of 23 hours', 'day', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['a day of 25 hours', 'day', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    ['a day without its midnight', 'day', 'Asia/Beirut', '2026-03-29T12:00:00Z', '2026-03-28T22:00:00Z', '2026-03-29T21:00:00Z'],
    ['a day with two midnights', 'day', 'America/Havana', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
    ['a day a half hour off', 'day', 'Asia/Kolkata', '2026-11-24T20:00:00Z', '2026-11-24T18:30:00Z', '2026-11-25T18:30:00Z'],
    [
      'a day behind one that a country left out',
      'day',
      'Pacific/Apia',
      '2011-12-30T12:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
    ],
    ['a week, from Monday', 'week', 'UTC', '2026-11-29T23:59:59Z', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    [
      'a week over the end of summer',
      'week',
      'America/New_York',
      '2026-11-01T12:00:00Z',
      '2026-10-26T04:00:00Z',
      '2026-11-02T05:00:00Z',
    ],
    ['a month', 'month', 'Asia/Tokyo', '2026-11-30T15:00:00Z', '2026-11-30T15:00:00Z', '2026-12-31T15:00:00Z'],
    ['a short month', 'month', 'Europe/Berlin', '2028-02-29T12:00:00Z', '2028-01-31T23:00:00Z', '2028-02-29T23:00:00Z'],
  ] as const)('%s', (_, period, timeZone, moment, from, to) => {
    const calendar = new Calendar(period, timeZone);
    const index = calendar.indexAt(at(moment));
    const startMs = calendar.startOf(index);
    const endMs = calendar.startOf(index + 1);
    expect([new Date(startMs).toISOString(), new Date(endMs).toISOString()]).toEqual(
      [at(from), at(to)].map((ms) => new Date(ms).toISOString()),
    );
    expect([startMs - 1, startMs, endMs - 1, endMs].map((ms) => Math.sign(calendar.indexAt(ms) - index))).toEqual([-1, 0, 0, 1]);
  });
});

describe('a budget of a calendar month', () => {
  const start = (moment: string, limits: readonly PolicyLimit[]) => world(limits, [], new ManualClock(at(moment)));

  test('is whole again when the month turns there, and not a moment before', () => {
    const { ask, pass, settle, clock, used } = start('2026-10-31T21:00:00Z', [monthly()]);
    settle(pass(undefined, undefined));
    for (let i = 0; i < 9; i++) settle(pass());
    const denied = ask();
    // the 25th was an hour longer, and the month ends at 23:00 UTC
    expect(denied).toMatchObject({ remaining: 0, retryMs: 2 * HOUR_MS, clearMs: 2 * HOUR_MS });
    clock.advance(2 * HOUR_MS - 1);
    expect(ask()).toMatchObject({ retryMs: 1 });
    clock.advance(1);
    expect(used()).toBe(0);
    pass();
  });

  test('does not fade while it lasts', () => {
    const { pass, settle, clock, used } = start('2026-11-01T12:00:00Z', [monthly()]);
    settle(pass());
    clock.advance(28 * 24 * HOUR_MS);
    expect(used()).toBe(100);
  });

  test('begins with what the one before was overdrawn by, which may take several of them', () => {
    const { ask, pass, settle, clock, used } = start('2026-11-15T00:00:00Z', [monthly()]);
    settle(pass(), outcome({ outputTokens: 2_950 }));
    const denied = ask();
    // 1,950 are left for December, 950 of them for January, and then there is no room for 100
    expect(denied).toMatchObject({ retryMs: at('2027-01-31T23:00:00Z') - clock.nowMs() });
    clock.advance(at('2026-12-15T00:00:00Z') - clock.nowMs());
    expect(used()).toBe(1_950);
    clock.advance(at('2027-01-15T00:00:00Z') - clock.nowMs());
    expect(used()).toBe(950);
    expect(ask()).toMatchObject({ retryMs: at('2027-01-31T23:00:00Z') - clock.nowMs() });
  });

  test('counts apart from one of another zone, and goes on in the next process', () => {
    const limits = [monthly(), monthly({ name: 'there', calendarWindow: { period: 'month', timeZone: 'Asia/Tokyo' } })];
    const first = start('2026-10-31T16:00:00Z', limits);
    first.settle(first.pass());
    const next = start('2026-10-31T22:00:00Z', limits);
    next.budgets.memory.restore([...first.budgets.memory.records()]);
    expect([next.used('alice', 0), next.used('alice', 1)]).toEqual([100, 100]);
    next.clock.advance(2 * HOUR_MS);
    expect([next.used('alice', 0), next.used('alice', 1)]).toEqual([0, 100]);
  });

  test('gives back across its end what was set aside before it', () => {
    const { pass, settle, clock, used } = start('2026-11-30T22:59:00Z', [monthly({ amount: 100 })]);
    const late = pass(subject());
    clock.advance(HOUR_MS);
    settle(late, outcome({ outputTokens: 30 }));
    expect(used()).toBe(0);
  });
});
