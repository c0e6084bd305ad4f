import type { LimitRule } from './limit-rule';
import type { Denial, Reservation, Standing, Tightest } from './reservation';
import { usedOf, type WindowUse } from './sliding-window';

/** Use of one key, with what is set aside at the moment. */
export interface KeyUse extends WindowUse {
  /** Requests under way. */
  open: number;
  /** Tokens set aside for them. */
  reserved: number;
}

/** A counter of a limit, brought to the present. */
export interface KeyStanding {
  readonly key: string;
  readonly use: KeyUse;
  readonly used: number;
  readonly debt: number;
}

/** No header of either API tells of requests at one time. */
export const TOLD_UNITS = ['tokens', 'requests'] as const;

/** How a limit stands, by the use of one key in the window under way. */
export function standingOf(rule: LimitRule, amount: number, use: WindowUse, nowMs: number): Standing {
  const remaining = Math.max(0, Math.floor(amount - usedOf(use, amount, rule.window.elapsedAt(nowMs, use.window))));
  const clear = rule.unit === 'concurrent' ? rule.nextEndMs(1) : rule.window.clearMs(use, amount, nowMs);
  return { rule, amount, remaining, clearMs: use.current > 0 || use.previous > 0 ? clear : 0 };
}

/** Why a charge does not fit, and when it will. */
export function denialOf(rule: LimitRule, amount: number, use: WindowUse, nowMs: number, key: string, charge: number): Denial {
  const ms = rule.unit === 'concurrent' ? rule.nextEndMs(amount) : rule.window.waitMs(use, amount, charge, nowMs);
  return { ...standingOf(rule, amount, use, nowMs), key, charge, retryMs: Math.max(1, ms) };
}

/** The place of the rule that is nearest to its end, of those of a unit of which clients are told; -1 for none. @param left shares */
export function tightestOf(rules: readonly LimitRule[], unit: keyof Tightest, left: readonly number[]): number {
  let best = -1;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    if (rule.unit === unit && !rule.shadow && (best < 0 || left[i]! < left[best]!)) best = i;
  }
  return best;
}

/** The denial that takes longest. */
export function worseOf(a: Denial | undefined, b: Denial): Denial {
  return a === undefined || b.retryMs > a.retryMs ? b : a;
}

/**
 * Charges each rule by the output that all rules leave room for.
 * @param frees what each rule has left
 * @param amounts of the rules, divided among pickers where they must be
 */
export function fitCharges(reservation: Reservation, frees: readonly number[], amounts: readonly number[]): void {
  const { rules, fixed, charges } = reservation;
  let bound = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    if (rule.clamp) bound = Math.min(bound, rule.outputRoom(frees[i]!, fixed[i]!));
  }
  reservation.outputBound = Math.max(0, bound);
  const output = outputWithin(reservation, bound);
  for (let i = 0; i < rules.length; i++) charges[i] = chargeWithin(rules[i]!, fixed[i]!, output, amounts[i]!);
}

/** The expected output, or what a clamping limit leaves of it if that is worth an answer. */
export function outputWithin({ output, leastOutput }: Reservation, bound: number): number {
  return Math.max(Math.min(output, leastOutput), Math.min(output, bound));
}

/** A limit that is smaller than the estimate lets the request pass when it is free, and is in debt if the estimate was right. */
export function chargeWithin(rule: LimitRule, fixed: number, output: number, amount: number): number {
  const charge = rule.chargeOf(fixed, output);
  return rule.shadow ? charge : Math.min(charge, amount);
}
