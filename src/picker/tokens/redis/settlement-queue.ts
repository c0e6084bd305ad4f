import type { LimitRule } from '../limit-rule';

/** What a finished request has used, as the settle script wants it. */
export interface Settlement {
  readonly id: string;
  readonly rules: readonly LimitRule[];
  readonly keys: readonly string[];
  /** Behind the id and the mark of a second time. */
  readonly args: readonly (string | number)[];
}

/** The store cannot have seen the settlement. */
export class NotSent extends Error {}

const RETRY_INTERVAL_MS = 500;
/** What has ended may wait this long for a request that asks the store, and go with it. */
const JOIN_MS = 5;
/** Settlements that wait for the store to come back; beyond it the oldest are left to the end of their reservations. */
const MAX_WAITING = 100_000;
const SENT_AT_ONCE = 256;
const CLOSE_MS = 1_000;

/** Brings settlements to the store, and keeps those that failed until it answers again: an answer that is finished is never held up. */
export class SettlementQueue {
  /** Not tried yet. */
  private fresh: Settlement[] = [];
  private joinTimer: NodeJS.Timeout | undefined;
  private waiting: { settlement: Settlement; again: boolean }[] = [];
  private underWay = 0;
  private timer: NodeJS.Timeout | undefined;
  private onIdle: (() => void) | undefined;

  /** @param send rejects when it is not known that the store has it */
  public constructor(private readonly send: (settlement: Settlement, again: boolean) => Promise<void>) {}

  public add(settlement: Settlement): void {
    this.fresh.push(settlement);
    this.joinTimer ??= setTimeout(() => this.flush(), JOIN_MS);
  }

  /** Sends what has ended: the store is asked for something else in this moment. */
  public flush(): void {
    if (this.fresh.length === 0) return;
    clearTimeout(this.joinTimer);
    this.joinTimer = undefined;
    const { fresh } = this;
    this.fresh = [];
    for (const settlement of fresh) this.attempt(settlement, false);
  }

  /** Waits for a moment until everything is sent. */
  public async close(): Promise<void> {
    this.flush();
    if (this.underWay > 0 || this.waiting.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        this.onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    clearTimeout(this.timer);
  }

  private attempt(settlement: Settlement, again: boolean): void {
    this.underWay++;
    this.send(settlement, again).then(
      () => this.ended(),
      (error: unknown) => {
        if (this.waiting.length >= MAX_WAITING) this.waiting.shift();
        this.waiting.push({ settlement, again: again || !(error instanceof NotSent) });
        this.timer ??= setTimeout(() => this.retry(), RETRY_INTERVAL_MS).unref();
        this.ended();
      },
    );
  }

  private ended(): void {
    this.underWay--;
    if (this.underWay === 0 && this.waiting.length === 0) this.onIdle?.();
  }

  private retry(): void {
    this.timer = undefined;
    const batch = this.waiting.splice(0, SENT_AT_ONCE);
    for (const { settlement, again } of batch) this.attempt(settlement, again);
    if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.retry(), RETRY_INTERVAL_MS).unref();
  }
}
