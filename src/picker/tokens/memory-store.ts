import { type BudgetStore, GRANTED, type ReserveResult } from './budgets';
import type { MemoryBudgets } from './memory-budgets';
import type { Reservation } from './reservation';
import type { TokenMetrics } from './token-metrics';

/** Budgets of one picker: answers at once. */
export class MemoryStore implements BudgetStore {
  public constructor(
    private readonly budgets: MemoryBudgets,
    private readonly metrics: TokenMetrics,
  ) {}

  public reserve(reservation: Reservation, done: (result: ReserveResult) => void): void {
    const { rules, keys, charges } = reservation;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (rule.shadow && this.budgets.wouldRefuse(rule, keys[i]!, charges[i]!)) this.metrics.limit(rule).wouldReject++;
    }
    const denial = this.budgets.reserve(reservation);
    done(denial === undefined ? GRANTED : { kind: 'denied', denial });
  }

  public settle(reservation: Reservation, actual: readonly number[]): void {
    this.budgets.settle(reservation, actual);
  }
}
