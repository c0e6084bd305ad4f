import type { LimitWeights, PolicyLimit, PolicyModel } from '../../picker-config/picker-policy';
import { type LimitWindow, limitWindow } from './limit-window';

/** Who asks for what: what a limit may count by. */
export interface LimitSubject {
  /** Undefined where nobody is identified. */
  readonly client: string | undefined;
  readonly tenant: string | undefined;
  /** Stable name of the API key, not the key. */
  readonly apiKey: string | undefined;
  /** As clients know it. */
  readonly model: string;
  readonly pool: string;
  /** Of a verified token. */
  claim(name: string): string | undefined;
  header(name: string): string | undefined;
}

/** Share of what was known of a request's duration that one more leaves. */
const KEPT_RATIO = 0.9;
/** Before any was seen. */
const USUAL_DURATION_MS = 5_000;

/** A limit of the policy, ready to be asked. */
export class LimitRule {
  public readonly name: string;
  public readonly unit: PolicyLimit['unit'];
  public readonly amount: number;
  public readonly window: LimitWindow;
  public readonly weights: LimitWeights;
  public readonly shadow: boolean;
  /** Answers are cut to what is left. */
  public readonly clamp: boolean;
  public readonly onStoreFailure: PolicyLimit['onStoreFailure'];
  /** Two rules with the same identity count on, whatever else changed. */
  public readonly identity: string;
  private readonly models: ReadonlySet<string> | undefined;
  private durationMs = USUAL_DURATION_MS;

  public constructor(
    private readonly limit: PolicyLimit,
    models: readonly PolicyModel[],
  ) {
    this.name = limit.name;
    this.unit = limit.unit;
    this.amount = limit.amount;
    this.window = limitWindow(limit);
    this.weights = limit.weights;
    this.shadow = limit.shadow;
    this.clamp = limit.clamp && !limit.shadow && limit.weights.output > 0;
    this.onStoreFailure = limit.onStoreFailure;
    // what was counted in tokens is no number of requests
    const counted = limit.unit === 'tokens' ? '' : `:${limit.unit}`;
    this.identity = `${limit.name}:${limit.key.source}:${limit.key.name ?? ''}:${this.window.id}${counted}`;
    // requests are known by the model's own name, whichever alias they used
    const owner = new Map(models.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name] as const)));
    this.models = limit.models === undefined ? undefined : new Set(limit.models.map((name) => owner.get(name) ?? name));
  }

  public get keySource(): string {
    return this.limit.key.source;
  }

  /** The windows as the policy says them; neither where requests at one time are limited. */
  public get windows(): Pick<PolicyLimit, 'windowSeconds' | 'calendarWindow'> {
    const { windowSeconds, calendarWindow } = this.limit;
    return {
      ...(windowSeconds === undefined ? {} : { windowSeconds }),
      ...(calendarWindow === undefined ? {} : { calendarWindow }),
    };
  }

  /** The same counters, and nothing is refused. */
  public asShadow(): LimitRule {
    return new LimitRule({ ...this.limit, shadow: true }, []);
  }

  public applies(subject: LimitSubject): boolean {
    return this.models === undefined || this.models.has(subject.model);
  }

  /** What is counted together; those without a value share one budget, so that leaving it out gains nothing. */
  public keyOf(subject: LimitSubject): string {
    switch (this.limit.key.source) {
      case 'client':
        return subject.client ?? '';
      case 'tenant':
        return subject.tenant ?? '';
      case 'apiKey':
        return subject.apiKey ?? '';
      case 'model':
        return subject.model;
      case 'pool':
        return subject.pool;
      case 'claim':
        return subject.claim(this.limit.key.name!) ?? '';
      case 'header':
        return subject.header(this.limit.key.name!) ?? '';
      default:
        return '';
    }
  }

  /** What counts of a request whatever is answered. */
  public fixedOf(inputTokens: number): number {
    return this.unit === 'tokens' ? inputTokens * this.weights.input : 1;
  }

  /** What counts of a request with this output, as a whole number. */
  public chargeOf(fixed: number, outputTokens: number): number {
    return this.unit === 'tokens' ? Math.round(fixed + outputTokens * this.weights.output) : 1;
  }

  /** What a finished request has used; what runs no more uses no place. */
  public usedBy(inputTokens: number, cachedTokens: number, outputTokens: number): number {
    if (this.unit === 'requests') return 1;
    if (this.unit === 'concurrent') return 0;
    const { input, cached, output } = this.weights;
    return Math.round((inputTokens - cachedTokens) * input + cachedTokens * cached + outputTokens * output);
  }

  /** Output tokens that fit beside the fixed part, rounding included. @param free what the limit has left */
  public outputRoom(free: number, fixed: number): number {
    return Math.floor((Math.floor(free) - fixed) / this.weights.output);
  }

  public learnDuration(ms: number): void {
    this.durationMs = this.durationMs * KEPT_RATIO + ms * (1 - KEPT_RATIO);
  }

  /** Milliseconds until the next of `amount` requests that run at once is expected to end, if they began at any time. */
  public nextEndMs(amount: number): number {
    return Math.ceil(this.durationMs / amount);
  }
}
