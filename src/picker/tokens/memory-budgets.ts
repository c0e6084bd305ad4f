import type { Clock } from '../../shared/clock';
import type { LimitRule } from './limit-rule';
import type { UseRecord } from './limit-snapshot';
import type { Denial, Reservation } from './reservation';
import { debtOf, overdrawnBy, rollTo, settleUse, usedOf } from './sliding-window';
import { denialOf, fitCharges, type KeyStanding, type KeyUse, standingOf, TOLD_UNITS, tightestOf, worseOf } from './standing';

/** Beyond this, further keys of a limit share one budget: memory must not grow with what clients can invent. */
const MAX_KEYS = 200_000;
const OTHER_KEYS = '\u0000other';

/** Counters of one limit. */
class LimitTable {
  public readonly uses = new Map<string, KeyUse>();

  public readonly unit: LimitRule['unit'];

  public constructor({ unit }: LimitRule) {
    this.unit = unit;
  }

  public use(key: string): KeyUse {
    const known = this.uses.get(key);
    if (known !== undefined) return known;
    if (this.uses.size >= MAX_KEYS && key !== OTHER_KEYS) return this.use(OTHER_KEYS);
    const use: KeyUse = { window: 0, current: 0, previous: 0, open: 0, reserved: 0 };
    this.uses.set(key, use);
    return use;
  }
}

/**
 * Budgets in this process. All limits of a request are looked at before any is touched, and nothing else runs in between: either every
 * limit has room and every one is charged, or none is.
 */
export class MemoryBudgets {
  /** Each limit is divided by this, for pickers that must do without their shared store. */
  public divisor = 1;
  private tables = new Map<string, LimitTable>();
  private changes = 0;
  /** Of the reservation at hand, one entry a rule. */
  private readonly scratchUses: KeyUse[] = [];
  private readonly scratchFrees: number[] = [];
  private readonly scratchAmounts: number[] = [];

  public constructor(private readonly clock: Clock) {}

  /** Counts by these rules from here on. Rules that were there before count on; those that are gone are forgotten. */
  public use(rules: readonly LimitRule[]): void {
    const before = this.tables;
    this.tables = new Map(rules.map((rule) => [rule.identity, before.get(rule.identity) ?? new LimitTable(rule)]));
  }

  /** Another number whenever a counter may have changed. */
  public get revision(): number {
    return this.changes;
  }

  /** What a later process needs to count on. What is set aside stays used there: nobody will say any more how much of it was. */
  public *records(): Generator<UseRecord> {
    for (const [limit, { uses, unit }] of this.tables) {
      // what runs at one time runs no more then
      if (unit === 'concurrent') continue;
      for (const [key, { window, current, previous }] of uses) {
        if (current > 0 || previous > 0) yield { limit, key, window, current, previous };
      }
    }
  }

  /** Counts on from these, by the rules in use. @returns keys that were taken over */
  public restore(records: readonly UseRecord[]): number {
    let keys = 0;
    for (const { limit, key, window, current, previous } of records) {
      const table = this.tables.get(limit);
      if (table === undefined) continue;
      Object.assign(table.use(key), { window, current, previous });
      keys++;
    }
    return keys;
  }

  /** Sets everything aside, or nothing and says why. Shadow rules never refuse, and are told when they would have. */
  public reserve(reservation: Reservation, onWouldRefuse: (rule: LimitRule) => void): Denial | undefined {
    const { rules, keys, charges, windows } = reservation;
    const nowMs = this.clock.nowMs();
    const uses = this.scratchUses;
    const frees = this.scratchFrees;
    const amounts = this.scratchAmounts;
    uses.length = 0;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      const use = this.find(rule, keys[i]!);
      const amount = this.amountOf(rule);
      const window = rule.window.indexAt(nowMs);
      rollTo(use, window, amount);
      uses.push(use);
      frees[i] = amount - usedOf(use, amount, rule.window.elapsedAt(nowMs, window));
      amounts[i] = amount;
    }
    fitCharges(reservation, frees, amounts);
    let worst: Denial | undefined;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      const charge = charges[i]!;
      if (charge <= frees[i]!) continue;
      const use = uses[i]!;
      if (rule.shadow) onWouldRefuse(rule);
      else worst = worseOf(worst, denialOf(rule, amounts[i]!, use, nowMs, keys[i]!, charge));
    }
    if (worst !== undefined) return worst;
    this.changes++;
    for (let i = 0; i < rules.length; i++) {
      const use = uses[i]!;
      windows[i] = use.window;
      use.current += charges[i]!;
      use.reserved += charges[i]!;
      use.open++;
      frees[i] = (frees[i]! - charges[i]!) / amounts[i]!;
    }
    for (const unit of TOLD_UNITS) {
      const at = tightestOf(rules, unit, frees);
      if (at >= 0) reservation.tightest[unit] = standingOf(rules[at]!, amounts[at]!, uses[at]!, nowMs);
    }
    return undefined;
  }

  /**
   * What was set aside becomes what was used.
   * @param actual tokens, one number a rule
   * @param onDebt told of what goes beyond a limit, and is left for its later windows
   */
  public settle(reservation: Reservation, actual: readonly number[], onDebt?: (rule: LimitRule, tokens: number) => void): void {
    const { rules, keys, charges, windows } = reservation;
    const nowMs = this.clock.nowMs();
    this.changes++;
    for (let i = 0; i < rules.length; i++) {
      if (windows[i]! < 0) continue;
      const rule = rules[i]!;
      const use = this.find(rule, keys[i]!);
      // the rule is gone, or has been gone in between
      if (use.open === 0) continue;
      rollTo(use, rule.window.indexAt(nowMs), this.amountOf(rule));
      const before = overdrawnBy(use, rule.amount);
      settleUse(use, windows[i]!, charges[i]!, actual[i]!);
      const debt = overdrawnBy(use, rule.amount) - before;
      if (debt > 0 && rule.unit === 'tokens') onDebt?.(rule, debt);
      use.open--;
      use.reserved -= charges[i]!;
    }
  }

  /** Forgets keys without use. */
  public sweep(rules: readonly LimitRule[]): void {
    const nowMs = this.clock.nowMs();
    for (const rule of rules) {
      const uses = this.tables.get(rule.identity)?.uses;
      if (uses === undefined) continue;
      for (const [key, use] of uses) {
        rollTo(use, rule.window.indexAt(nowMs), this.amountOf(rule));
        if (use.open === 0 && use.current <= 0 && use.previous <= 0) uses.delete(key);
      }
    }
  }

  /** Counters of a rule, by key, brought to the present. */
  public *standings(rule: LimitRule): Generator<KeyStanding> {
    const amount = this.amountOf(rule);
    const nowMs = this.clock.nowMs();
    const window = rule.window.indexAt(nowMs);
    const elapsed = rule.window.elapsedAt(nowMs, window);
    for (const [key, use] of this.tables.get(rule.identity)?.uses ?? []) {
      rollTo(use, window, amount);
      yield { key, use, used: usedOf(use, amount, elapsed), debt: debtOf(use, amount) };
    }
  }

  private find(rule: LimitRule, key: string): KeyUse {
    // a rule may have been removed while the request was on its way here
    return (this.tables.get(rule.identity) ?? new LimitTable(rule)).use(key);
  }

  private amountOf({ amount }: LimitRule): number {
    return this.divisor === 1 ? amount : Math.max(1, Math.floor(amount / this.divisor));
  }
}
