import { type BudgetStore, GRANTED, type ReserveResult } from './budgets';
import type { LimitRule } from './limit-rule';
import type { MemoryBudgets } from './memory-budgets';
import type { Reservation } from './reservation';
import type { KeyStanding } from './standing';
import type { TokenMetrics } from './token-metrics';

/** Budgets of one picker: answers at once. */
export class MemoryStore implements BudgetStore {
  private readonly onWouldRefuse = (rule: LimitRule): void => {
    this.metrics.limit(rule).wouldReject++;
  };

  private readonly onDebt = (rule: LimitRule, tokens: number): void => {
    this.metrics.limit(rule).debtTokens += tokens;
  };

  public constructor(
    private readonly budgets: MemoryBudgets,
    private readonly metrics: TokenMetrics,
  ) {}

  public reserve(reservation: Reservation, done: (result: ReserveResult) => void): void {
    const denial = this.budgets.reserve(reservation, this.onWouldRefuse);
    done(denial === undefined ? GRANTED : { kind: 'denied', denial });
  }

  public settle(reservation: Reservation, actual: readonly number[]): void {
    this.budgets.settle(reservation, actual, this.onDebt);
  }

  public standings(rule: LimitRule): Promise<KeyStanding[]> {
    return Promise.resolve([...this.budgets.standings(rule)]);
  }
}
