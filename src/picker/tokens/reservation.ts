import type { LimitRule } from './limit-rule';

/** One request's claim on every limit that it falls under. Entry i of each list belongs to rule i. */
export class Reservation {
  public readonly rules: LimitRule[] = [];
  /** What each limit counts this request under. */
  public readonly keys: string[] = [];
  /** What each limit counts of the request whatever is answered. */
  public readonly fixed: number[] = [];
  /** To set aside. */
  public readonly charges: number[] = [];
  /** Window in which it was set aside; -1 where nothing was. */
  public readonly windows: number[] = [];
  /** The limit of tokens, and that of requests, that is nearest to its end, after setting aside; for the answer's headers. */
  public readonly tightest: Tightest = { tokens: undefined, requests: undefined };
  /** Output tokens that clamping limits leave room for, all choices together. */
  public outputBound = Number.POSITIVE_INFINITY;
  /** When it was granted. */
  public grantedMs = 0;

  public constructor(
    /** Unique among all pickers that share a store. */
    public readonly id: string,
    /** Output tokens that are expected, all choices together. */
    public readonly output: number,
    /** Least output that is worth an answer, where a limit may cut it. */
    public readonly leastOutput: number,
  ) {}

  public add(rule: LimitRule, key: string, fixed: number): void {
    this.rules.push(rule);
    this.keys.push(key);
    this.fixed.push(fixed);
    this.charges.push(rule.chargeOf(fixed, this.output));
    this.windows.push(-1);
  }
}

/** By the units of which headers tell. */
export interface Tightest {
  tokens: Standing | undefined;
  requests: Standing | undefined;
}

/** How a limit stands for one key. */
export interface Standing {
  readonly rule: LimitRule;
  readonly amount: number;
  /** Whole tokens or requests that are free, at least 0. */
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
