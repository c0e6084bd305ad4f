import type { RedisStore as RedisSettings } from '../../../picker-config/picker-policy';
import type { Clock } from '../../../shared/clock';
import type { Logger } from '../../telemetry/log';
import { type BudgetStore, type Budgets, GRANTED, type ReserveResult } from '../budgets';
import type { LimitRule } from '../limit-rule';
import { type Denial, Reservation } from '../reservation';
import { usedOf, type WindowUse } from '../sliding-window';
import { denialOf, type KeyStanding, standingOf, TOLD_UNITS, tightestOf, worseOf } from '../standing';
import { Breaker } from './breaker';
import { RedisClient } from './redis-client';
import { RESERVE, SETTLE } from './scripts';
import { SeenKeys } from './seen-keys';
import { NotSent, type Settlement, SettlementQueue } from './settlement-queue';
import { storedStanding } from './stored-use';

/** A picker that has asked nothing for this long is not counted when limits are divided. */
const PICKER_TTL_MS = 30_000;
const PRESENCE_INTERVAL_MS = 1_000;
const ERROR_LOG_INTERVAL_MS = 10_000;
const RETRY_MS = 1_000;
const STANDINGS_TIMEOUT_MS = 1_000;

export interface RedisStoreParts {
  readonly budgets: Budgets;
  readonly log: Logger;
  readonly clock: Clock;
  readonly pickerId: string;
}

/** Numbers of one rule in the answer of the reserve script. */
const RULE_NUMBERS = 5;
const HEAD_NUMBERS = 4;

/** Budgets that several pickers share: one round trip for all limits of a request. */
export class RedisStore implements BudgetStore {
  private readonly client: RedisClient;
  private readonly breaker = new Breaker();
  private readonly queue: SettlementQueue;
  private readonly seen = new SeenKeys();
  /** What was set aside in this process while the store did not answer. */
  private readonly locals = new WeakMap<Reservation, Local>();
  private pickers = 1;
  /** Of this process's clock, as the last answer showed. */
  private storeAheadMs: number;
  private presentAtMs = Number.NEGATIVE_INFINITY;
  private errorLoggedAtMs = Number.NEGATIVE_INFINITY;

  public constructor(
    private readonly settings: RedisSettings,
    private readonly parts: RedisStoreParts,
  ) {
    this.storeAheadMs = Date.now() - parts.clock.nowMs();
    this.client = new RedisClient(settings, (message) => this.logError(message));
    this.queue = new SettlementQueue((settlement, again) => this.send(settlement, again));
  }

  public reserve(reservation: Reservation, done: (result: ReserveResult) => void): void {
    const { clock } = this.parts;
    const pauseMs = this.breaker.pauseMs(clock.nowMs());
    if (pauseMs > 0 || !this.client.isReady) {
      if (pauseMs === 0) this.failed('there is no connection');
      done(this.without(reservation, Math.max(pauseMs, RETRY_MS)));
      return;
    }
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.failed(`no answer within ${this.settings.timeoutMs} ms`);
      done(this.without(reservation, RETRY_MS));
    }, this.settings.timeoutMs);
    const { rules, keys, fixed, id, output, leastOutput } = reservation;
    const args: (string | number)[] = [id, this.presence(), PICKER_TTL_MS, output, leastOutput];
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      this.seen.add(rule, keys[i]!);
      const weight = rule.unit === 'tokens' ? rule.weights.output : 0;
      args.push(rule.amount, rule.window.forScript(this.storeNowMs), fixed[i]!, weight, rule.shadow ? 1 : rule.clamp ? 2 : 0);
    }
    this.queue.flush();
    this.client.run(RESERVE, [`${this.prefix}pickers`, ...this.keysOf(rules, keys)], args).then(
      (answer) => {
        const numbers = answer as number[];
        if (isOver) {
          // decided without the store; what it set aside all the same is given back
          if (numbers[0] === 1) this.queue.add(this.settlement(reservation, new Array<number>(rules.length).fill(0)));
          return;
        }
        clearTimeout(timer);
        this.breaker.succeeded();
        done(this.result(reservation, numbers));
      },
      (error: Error) => {
        if (isOver) return;
        clearTimeout(timer);
        this.failed(error.message);
        done(this.without(reservation, RETRY_MS));
      },
    );
  }

  public settle(reservation: Reservation, actual: readonly number[]): void {
    const local = this.locals.get(reservation);
    if (local !== undefined) {
      this.parts.budgets.memory.settle(
        local.reservation,
        local.indexes.map((i) => actual[i]!),
      );
      return;
    }
    this.queue.add(this.settlement(reservation, actual));
  }

  public async standings(rule: LimitRule): Promise<KeyStanding[]> {
    const keys = this.seen.of(rule);
    const asked = this.client.hashes(keys.map((key) => this.keyOf(rule, key)));
    const hashes = await Promise.race([asked, rejection(STANDINGS_TIMEOUT_MS, 'it takes too long')]);
    const nowMs = this.storeNowMs;
    return hashes.map((hash, i) => storedStanding(rule, keys[i]!, hash, nowMs));
  }

  /** Sends what is still to be settled, for a moment. */
  public async close(): Promise<void> {
    await this.queue.close();
    this.client.close();
  }

  /** The name of this picker where it is time to say that it is there. */
  private presence(): string {
    const nowMs = this.parts.clock.nowMs();
    if (nowMs - this.presentAtMs < PRESENCE_INTERVAL_MS) return '';
    this.presentAtMs = nowMs;
    return this.parts.pickerId;
  }

  /** What time the store's clock says. */
  private get storeNowMs(): number {
    return this.parts.clock.nowMs() + this.storeAheadMs;
  }

  private get prefix(): string {
    // one hash tag, so that a cluster keeps the counters of one script together
    return `${this.settings.keyPrefix}{limits}:`;
  }

  private keysOf(rules: readonly LimitRule[], keys: readonly string[]): string[] {
    return rules.map((rule, i) => this.keyOf(rule, keys[i]!));
  }

  private keyOf({ identity }: LimitRule, key: string): string {
    return `${this.prefix}${identity}:${key}`;
  }

  private result(reservation: Reservation, numbers: readonly number[]): ReserveResult {
    const { rules, keys, charges, windows } = reservation;
    const granted = numbers[0] === 1;
    const nowMs = numbers[2]!;
    this.storeAheadMs = nowMs - this.parts.clock.nowMs();
    if (numbers[1]! > 0) this.pickers = numbers[1]!;
    reservation.outputBound = numbers[3]! < 0 ? Number.POSITIVE_INFINITY : numbers[3]!;
    const left: number[] = [];
    const uses: WindowUse[] = [];
    let worst: Denial | undefined;
    for (let i = 0; i < rules.length; i++) {
      const at = HEAD_NUMBERS + i * RULE_NUMBERS;
      const rule = rules[i]!;
      const { amount, window } = rule;
      const use = { window: numbers[at + 1]!, current: numbers[at + 2]!, previous: numbers[at + 3]! };
      const charge = numbers[at + 4]!;
      charges[i] = charge;
      if (numbers[at] === 1) {
        if (rule.shadow) this.parts.budgets.metrics.limit(rule).wouldReject++;
        else worst = worseOf(worst, denialOf(rule, amount, use, nowMs, keys[i]!, charge));
      }
      if (!granted) continue;
      windows[i] = use.window;
      use.current += charge;
      left.push((amount - usedOf(use, amount, window.elapsedAt(nowMs, use.window))) / amount);
      uses.push(use);
    }
    for (const unit of granted ? TOLD_UNITS : []) {
      const at = tightestOf(rules, unit, left);
      if (at >= 0) reservation.tightest[unit] = standingOf(rules[at]!, rules[at]!.amount, uses[at]!, nowMs);
    }
    return worst === undefined ? GRANTED : { kind: 'denied', denial: worst };
  }

  /** What each limit does while the store does not answer. */
  private without(reservation: Reservation, retryMs: number): ReserveResult {
    const { rules, keys, fixed } = reservation;
    const closed = rules.find((rule) => rule.onStoreFailure === 'closed' && !rule.shadow);
    if (closed !== undefined) return { kind: 'unavailable', rule: closed, retryMs };
    const { id, output, leastOutput } = reservation;
    const local: Local = { reservation: new Reservation(id, output, leastOutput), indexes: [] };
    rules.forEach((rule, i) => {
      if (rule.onStoreFailure !== 'local') return;
      local.reservation.add(rule, keys[i]!, fixed[i]!);
      local.indexes.push(i);
    });
    const { memory, metrics } = this.parts.budgets;
    memory.divisor = this.pickers;
    const denial = memory.reserve(local.reservation, (rule) => metrics.limit(rule).wouldReject++);
    if (denial !== undefined) return { kind: 'denied', denial };
    reservation.outputBound = local.reservation.outputBound;
    Object.assign(reservation.tightest, local.reservation.tightest);
    local.indexes.forEach((i, at) => {
      reservation.charges[i] = local.reservation.charges[at]!;
    });
    this.locals.set(reservation, local);
    return GRANTED;
  }

  private settlement({ rules, keys, id }: Reservation, actual: readonly number[]): Settlement {
    const nowMs = this.storeNowMs;
    const args = rules.flatMap((rule, i) => [rule.amount, rule.window.forScript(nowMs), actual[i]!]);
    return { id, rules, keys: this.keysOf(rules, keys), args };
  }

  private async send({ id, rules, keys, args }: Settlement, again: boolean): Promise<void> {
    if (!this.client.isReady) throw new NotSent('there is no connection');
    const debts = (await this.client.run(SETTLE, keys, [id, again ? 1 : 0, ...args])) as number[];
    rules.forEach((rule, i) => {
      if (rule.unit === 'tokens') this.parts.budgets.metrics.limit(rule).debtTokens += debts[i]!;
    });
  }

  private failed(message: string): void {
    this.parts.budgets.metrics.storeFailures++;
    this.breaker.failed(this.parts.clock.nowMs());
    this.logError(message);
  }

  private logError(message: string): void {
    const nowMs = this.parts.clock.nowMs();
    if (nowMs - this.errorLoggedAtMs < ERROR_LOG_INTERVAL_MS) return;
    this.errorLoggedAtMs = nowMs;
    this.parts.log.error({ store: this.settings.address, reason: message }, 'the shared store of limits does not answer');
  }
}

/** Ends no process by its timer. */
function rejection(ms: number, message: string): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(message)), ms).unref());
}

interface Local {
  readonly reservation: Reservation;
  /** Where its rules are in the whole reservation. */
  readonly indexes: number[];
}
