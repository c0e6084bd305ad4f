import type { LimitRule } from './limit-rule';

/** One request's claim on every limit that it falls under. Entry i of each list belongs to rule i. */
export class Reservation {
  public readonly rules: LimitRule[] = [];
  /** What each limit counts this request under. */
  public readonly keys: string[] = [];
  /** Tokens to set aside. */
  public readonly charges: number[] = [];
  /** Window in which they were set aside; -1 where nothing was. */
  public readonly windows: number[] = [];
  /** The limit that is nearest to its end, after setting aside; for the answer's headers. */
  public tightest: Standing | undefined;

  public constructor(
    /** Unique among all pickers that share a store. */
    public readonly id: string,
  ) {}

  public add(rule: LimitRule, key: string, charge: number): void {
    this.rules.push(rule);
    this.keys.push(key);
    this.charges.push(charge);
    this.windows.push(-1);
  }
}

/** How a limit stands for one key. */
export interface Standing {
  readonly rule: LimitRule;
  readonly amount: number;
  /** Whole tokens that are free, at least 0. */
  readonly remaining: number;
  /** Milliseconds until the whole amount is free again. */
  readonly clearMs: number;
}

/** Why a request may not pass. */
export interface Denial extends Standing {
  readonly key: string;
  readonly charge: number;
  /** Milliseconds until the same request fits under every limit; -1 when it never does. */
  readonly retryMs: number;
}
