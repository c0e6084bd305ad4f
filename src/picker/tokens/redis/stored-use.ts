import type { LimitRule } from '../limit-rule';
import { debtOf, rollTo, usedOf } from '../sliding-window';
import type { KeyStanding } from '../standing';

/** How a key stands by its hash in the store (see `scripts.ts`), at the store's time. */
export function storedStanding(rule: LimitRule, key: string, hash: Readonly<Record<string, string>>, nowMs: number): KeyStanding {
  const { w, c, p, t: _tidied, ...reservations } = hash;
  const use = { window: Number(w ?? 0), current: Number(c ?? 0), previous: Number(p ?? 0), open: 0, reserved: 0 };
  for (const text of Object.values(reservations)) {
    use.open++;
    use.reserved += Number(text.slice(0, text.indexOf('|')));
  }
  const window = rule.window.indexAt(nowMs);
  rollTo(use, window, rule.amount);
  return { key, use, used: usedOf(use, rule.amount, rule.window.elapsedAt(nowMs, window)), debt: debtOf(use, rule.amount) };
}
