import type { PickerPolicy } from '../../picker-config/picker-policy';
import type { Clock } from '../../shared/clock';
import type { Outcome } from '../ext-proc/director';
import { type ModelEstimate, TokenEstimator } from './estimator';
import { LimitRule, type LimitSubject } from './limit-rule';
import { MemoryBudgets } from './memory-budgets';
import { type Denial, Reservation } from './reservation';
import type { KeyStanding } from './standing';
import { TokenMetrics } from './token-metrics';
import { type ChargedTokens, chargedTokens } from './usage-charge';

/** A request's size before an engine has counted it. */
export interface TokenDemand {
  readonly model: string;
  /** Without media. */
  readonly textBytes: number;
  readonly media: number;
  /** Of one choice; -1 without a bound. */
  readonly maxTokens: number;
  /** Answers that are made to it (`n`, `best_of`). */
  readonly choices: number;
  /** False for APIs that only read (embeddings). */
  readonly generates: boolean;
  /** Whether the engine can be told how long the answer may be. */
  readonly isBoundable: boolean;
}

/** Of one choice. A shorter answer is none, and OpenAI's Responses take no lower bound. */
const LEAST_CLAMPED_TOKENS = 16;

/** Keeps reservations; the memory of this process, or a store that pickers share. */
export interface BudgetStore {
  /** Sets aside what all limits ask, or nothing. Calls back before it returns, or later, once. */
  reserve(reservation: Reservation, done: (result: ReserveResult) => void): void;
  /** @param actual what was used, one number a rule */
  settle(reservation: Reservation, actual: readonly number[]): void;
  /** Counters of a limit, as far as this process knows of their keys. Rejects while the store does not answer. */
  standings(rule: LimitRule): Promise<readonly KeyStanding[]>;
}

export type ReserveResult =
  | { readonly kind: 'granted' }
  | { readonly kind: 'denied'; readonly denial: Denial }
  /** The store does not answer, and a limit must not be let pass uncounted. */
  | { readonly kind: 'unavailable'; readonly rule: LimitRule; readonly retryMs: number };

export const GRANTED: ReserveResult = { kind: 'granted' };

/** Estimates, reserves and settles tokens by the limits of the policy. */
export class Budgets {
  public readonly metrics = new TokenMetrics();
  public readonly memory: MemoryBudgets;
  private readonly estimator = new TokenEstimator();
  private current: readonly LimitRule[] = [];
  private readonly idPrefix: string;
  private lastId = 0;

  /** @param pickerId unique among the pickers that share a store */
  public constructor(
    private readonly clock: Clock,
    pickerId: string,
  ) {
    this.memory = new MemoryBudgets(clock);
    this.idPrefix = `${pickerId}-`;
  }

  public get rules(): readonly LimitRule[] {
    return this.current;
  }

  /** Limits by this policy from here on; counters of limits that stay are kept, a removed limit is gone. */
  public use(policy: Pick<PickerPolicy, 'limits' | 'models'>): void {
    this.current = policy.limits.map((limit) => new LimitRule(limit, policy.models));
    this.memory.use(this.current);
    this.metrics.keepOnly(this.current);
  }

  /** The claim of a request, not yet set aside; a denial when it can never fit. Undefined where no limit applies. */
  public claim(subject: LimitSubject, demand: TokenDemand): Reservation | Denial | undefined {
    let reservation: Reservation | undefined;
    let input = 0;
    const rules = this.current;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (!rule.applies(subject)) continue;
      if (reservation === undefined) {
        const estimate = this.estimator.of(demand.model);
        input = estimate.inputTokens(demand);
        reservation = this.reservationFor(demand, estimate);
      }
      const key = rule.keyOf(subject);
      const fixed = rule.fixedOf(input);
      const least = rule.chargeOf(fixed, demand.generates ? demand.choices : 0);
      if (least > rule.amount && !rule.shadow) {
        const { amount } = rule;
        return { rule, key, charge: least, amount, remaining: amount, clearMs: 0, retryMs: -1 };
      }
      reservation.add(rule, key, fixed);
    }
    return reservation;
  }

  /** What limits per pool count for this pool instead, to be set aside whether it fits or not; undefined where nothing changes. */
  public movedTo(pool: string, { rules, keys, fixed, output, leastOutput }: Reservation): Reservation | undefined {
    let moved: Reservation | undefined;
    rules.forEach((rule, i) => {
      if (rule.keySource !== 'pool' || keys[i] === pool) return;
      moved ??= new Reservation(this.idPrefix + ++this.lastId, output, leastOutput);
      moved.add(rule.asShadow(), pool, fixed[i]!);
    });
    return moved;
  }

  /** Counts what was set aside, and what shadow rules would have done. */
  public granted(reservation: Reservation): void {
    const { rules, charges } = reservation;
    reservation.grantedMs = this.clock.nowMs();
    for (let i = 0; i < rules.length; i++) {
      const counts = this.metrics.limit(rules[i]!);
      counts.admitted++;
      if (rules[i]!.unit === 'tokens') counts.reservedTokens += charges[i]!;
    }
  }

  /** What each rule is charged in the end; learns from what the engine counted. */
  public settlement(
    reservation: Reservation | undefined,
    demand: TokenDemand,
    client: string | undefined,
    outcome: Outcome,
  ): number[] {
    const tokens = this.tokensOf(demand, outcome);
    if (tokens.exact && tokens.input > 0)
      this.estimator
        .of(demand.model)
        .learn(demand, tokens.input, demand.generates ? Math.ceil(tokens.output / demand.choices) : 0);
    if (tokens.input + tokens.output > 0) this.metrics.used(demand.model, client, tokens);
    if (reservation === undefined) return [];
    const tookMs = this.clock.nowMs() - reservation.grantedMs;
    return reservation.rules.map((rule, i) => {
      const actual = rule.usedBy(tokens.input, tokens.cached, tokens.output);
      if (rule.unit === 'tokens') this.metrics.settled(rule, reservation.charges[i]!, actual);
      if (rule.unit === 'concurrent') rule.learnDuration(tookMs);
      return actual;
    });
  }

  /** What a finished request has used, as its engine says, or else by estimate. */
  public tokensOf(demand: TokenDemand, outcome: Outcome): ChargedTokens {
    const estimate = this.estimator.of(demand.model);
    return chargedTokens(outcome, estimate.inputTokens(demand), estimate.bytesPerToken);
  }

  private reservationFor(demand: TokenDemand, estimate: ModelEstimate): Reservation {
    const { generates, maxTokens, choices } = demand;
    const id = this.idPrefix + ++this.lastId;
    if (!generates) return new Reservation(id, 0, 0);
    const output = estimate.outputTokens(maxTokens) * choices;
    if (!demand.isBoundable) return new Reservation(id, output, output);
    const least = maxTokens < 0 ? LEAST_CLAMPED_TOKENS : Math.min(maxTokens, LEAST_CLAMPED_TOKENS);
    return new Reservation(id, output, least * choices);
  }
}
