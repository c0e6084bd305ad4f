import * as fc from 'fast-check';
import { LimitRule } from '../../src/picker/tokens/limit-rule';
import { parseSnapshot, snapshotText, type UseRecord } from '../../src/picker/tokens/limit-snapshot';
import { MemoryBudgets } from '../../src/picker/tokens/memory-budgets';
import { Reservation } from '../../src/picker/tokens/reservation';
import { usedOf, type WindowUse, waitMs } from '../../src/picker/tokens/sliding-window';
import type { PolicyLimit } from '../../src/picker-config/picker-policy';
import { ManualClock } from '../../src/shared/clock';
import { fuzzRuns } from './corpus';

const KEYS = ['a', 'b'];

const ruleOf = (name: string, amount: number, windowSeconds: number): LimitRule =>
  new LimitRule(
    {
      name,
      unit: 'tokens',
      amount,
      windowSeconds,
      key: { source: 'client' },
      weights: { input: 1, output: 1, cached: 1 },
      clamp: false,
      shadow: false,
      onStoreFailure: 'closed',
    } satisfies PolicyLimit,
    [],
  );

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('reserve' as const), key: fc.nat(1), charge: fc.nat(400) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), actual: fc.nat(900) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(15_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('save' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      killed: fc.boolean(),
      stepMs: fc.integer({ min: -60_000, max: 60_000 }),
    }),
  },
);

/**
 * The oracle: every charge by itself, in the window of which it takes room, without rolling counters. Debt is what a window has beyond
 * the amount, carried over.
 */
class Oracle {
  /** By key, then window. */
  private readonly windows = new Map<string, Map<number, number>>();

  public constructor(
    private readonly amount: number,
    private readonly windowMs: number,
  ) {}

  public used(key: string, nowMs: number): number {
    const window = Math.floor(nowMs / this.windowMs);
    let debt = 0;
    let before = 0;
    for (let w = Math.min(window, ...(this.windows.get(key)?.keys() ?? [])); w < window; w++) {
      before = this.at(key, w) + debt;
      debt = Math.max(0, before - this.amount);
    }
    return Math.min(before, this.amount) * (1 - (nowMs / this.windowMs - window)) + debt + this.at(key, window);
  }

  public change(key: string, window: number, tokens: number): void {
    const windows = this.windows.get(key) ?? new Map<number, number>();
    this.windows.set(key, windows.set(window, this.at(key, window) + tokens));
  }

  /** As it was, when that is asked for again; a clock that was set back moves everything into the present. */
  public saved(nowMs: number): (laterMs: number) => void {
    const windows = [...this.windows].map(([key, uses]) => [key, [...uses]] as const);
    return (laterMs) => {
      const back = Math.max(0, Math.floor(nowMs / this.windowMs) - Math.floor(laterMs / this.windowMs));
      this.windows.clear();
      for (const [key, uses] of windows) this.windows.set(key, new Map(uses.map(([window, used]) => [window - back, used])));
    };
  }

  private at(key: string, window: number): number {
    return this.windows.get(key)?.get(window) ?? 0;
  }
}

test('after any course of events, crashes and steps of the clock: all or nothing, nothing leaks, and reserved, spent and free make up the limit', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 300, max: 1_200 }), (steps, amount) => {
      let clock = new ManualClock(1_000_000);
      let budgets = new MemoryBudgets(clock);
      const rules = [ruleOf('short', amount, 5), ruleOf('long', amount * 2, 20)];
      budgets.use(rules);
      const oracles = rules.map((rule) => new Oracle(rule.amount, Number(rule.window.id) * 1e3));
      const windowOf = (rule: LimitRule): number => rule.window.indexAt(clock.nowMs());
      const open: { reservation: Reservation; key: string; charge: number }[] = [];
      const save = () => {
        const oracle = oracles.map((each) => each.saved(clock.nowMs()));
        return { text: [...snapshotText(budgets.records(), clock.nowMs())].join(''), oracle };
      };
      let snapshot = save();
      const check = (): void => {
        for (const [i, rule] of rules.entries()) {
          for (const { key, use, used } of budgets.standings(rule)) {
            expect(used).toBeCloseTo(oracles[i]!.used(key, clock.nowMs()), 6);
            expect(Math.min(use.current, use.previous, use.reserved, use.open)).toBeGreaterThanOrEqual(0);
            const mine = open.filter((entry) => entry.key === key);
            expect([use.open, use.reserved]).toEqual([mine.length, mine.reduce((sum, { charge }) => sum + charge, 0)]);
          }
        }
      };
      for (const event of steps) {
        if (event.kind === 'wait') clock.advance(event.ms);
        else if (event.kind === 'sweep') budgets.sweep(rules);
        else if (event.kind === 'save') snapshot = save();
        else if (event.kind === 'restart') {
          // who is killed forgets what came after the last snapshot; what was set aside in it stays used, because nobody settles it
          if (!event.killed) snapshot = save();
          clock = new ManualClock(clock.nowMs() + event.stepMs);
          budgets = new MemoryBudgets(clock);
          budgets.use(rules);
          const read = parseSnapshot(snapshot.text) as { records: UseRecord[] };
          budgets.restore(read.records);
          for (const restore of snapshot.oracle) restore(clock.nowMs());
          for (const { reservation } of open.splice(0)) budgets.settle(reservation, [9, 9]);
          check();
          snapshot = save();
        } else if (event.kind === 'reserve') {
          const key = KEYS[event.key]!;
          const charge = Math.min(event.charge, amount);
          const reservation = new Reservation(String(open.length), 0, 0);
          for (const rule of rules) reservation.add(rule, key, charge);
          const fits = rules.every((rule, i) => charge <= rule.amount - oracles[i]!.used(key, clock.nowMs()) + 1e-9);
          const denial = budgets.reserve(reservation, () => undefined);
          expect(denial === undefined).toBe(fits);
          if (denial === undefined) {
            open.push({ reservation, key, charge });
            for (const [i, rule] of rules.entries()) oracles[i]!.change(key, windowOf(rule), charge);
          } else expect(denial.retryMs).toBeGreaterThan(0);
        } else if (open.length > 0) {
          const [{ reservation, key, charge }] = open.splice(event.which % open.length, 1) as [(typeof open)[0]];
          budgets.settle(reservation, [event.actual, event.actual]);
          rules.forEach((rule, i) => {
            const window = windowOf(rule);
            const reserved = reservation.windows[i]!;
            const difference = event.actual - charge;
            // what comes on top is used in this window; what is given back is of no use to a window that is out of sight
            if (difference > 0) oracles[i]!.change(key, window, difference);
            else if (reserved >= window - 1) oracles[i]!.change(key, reserved, difference);
          });
        }
        check();
      }
    }),
    { numRuns: fuzzRuns(300) },
  );
});

test('what a denied request is told to wait is true: it fits then, and not a moment earlier', () => {
  const use = fc.record({ window: fc.constant(10), current: fc.nat(5_000), previous: fc.nat(5_000) });
  fc.assert(
    fc.property(
      use,
      fc.integer({ min: 1, max: 1_000 }),
      fc.nat(999),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (given, amount, part, elapsed) => {
        const charge = Math.max(1, Math.floor((amount * part) / 999));
        const windowMs = 60_000;
        const ms = waitMs(given, amount, windowMs, elapsed, charge);
        const usedAfter = (waited: number): number => {
          const position = elapsed + waited / windowMs;
          const passed = Math.floor(position);
          let { current, previous }: WindowUse = given;
          for (let i = 0; i < passed; i++) {
            previous = current + Math.max(0, previous - amount);
            current = 0;
          }
          return usedOf({ window: 0, current, previous }, amount, position - passed);
        };
        expect(usedAfter(ms)).toBeLessThanOrEqual(amount - charge + 1e-6);
        if (ms > 2) expect(usedAfter(ms - 2)).toBeGreaterThan(amount - charge - 1e-6);
      },
    ),
    { numRuns: fuzzRuns(1_000) },
  );
});
