import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { refuse } from './internal/errors';
import type { RateLimitKey } from './values/rate-limit-key';
import { StoreFailure } from './values/token-store';

/** What `addTokenRateLimit` takes. */
export interface TokenRateLimitOptions {
  /** Tokens per window: a whole number from 1. */
  readonly tokens: number;
  /** Length of the window, from a second to 366 days. */
  readonly window: Duration;
  /** What a budget is counted per. */
  readonly key: RateLimitKey;
  /** Models that count. @default - all */
  readonly models?: string[];
  /** What one input token counts. @default 1 */
  readonly inputWeight?: number;
  /** What one output token counts. @default 1 */
  readonly outputWeight?: number;
  /** What one input token counts that the engine had in its cache. @default - as an input token */
  readonly cachedWeight?: number;
  /** What happens while the shared store does not answer. @default StoreFailure.CLOSED */
  readonly onStoreFailure?: StoreFailure;
  /** Count and report, but refuse nothing. @default false */
  readonly shadow?: boolean;
}

/** Properties of {@link TokenRateLimit}. */
export interface TokenRateLimitProps extends TokenRateLimitOptions {
  /** Name of the limit in metrics and errors. @default - the construct's id */
  readonly limitName?: string;
}

/**
 * A budget of tokens, enforced by the picker: reserved before a request, settled with the engine's own count after it. It never
 * becomes a limit on requests, whatever the gateway can do.
 *
 * @throws AIG493 for an amount, window or weight that cannot be used
 */
export class TokenRateLimit extends Construct {
  public readonly limitName: string;
  public readonly tokens: number;
  public readonly windowSeconds: number;
  public readonly key: RateLimitKey;
  public readonly models: readonly string[] | undefined;
  public readonly inputWeight: number;
  public readonly outputWeight: number;
  public readonly cachedWeight: number;
  public readonly onStoreFailure: StoreFailure;
  public readonly shadow: boolean;

  public constructor(scope: Construct, id: string, props: TokenRateLimitProps) {
    super(scope, id);
    this.limitName = props.limitName ?? id;
    this.tokens = this.checked('tokens', props.tokens, 1, Number.MAX_SAFE_INTEGER, true);
    this.windowSeconds = this.checked('window in seconds', props.window.toSeconds({ integral: false }), 1, 366 * 86_400, true);
    this.key = props.key;
    this.models = props.models;
    this.inputWeight = this.checked('inputWeight', props.inputWeight ?? 1, 0, 1_000_000, false);
    this.outputWeight = this.checked('outputWeight', props.outputWeight ?? 1, 0, 1_000_000, false);
    this.cachedWeight = this.checked('cachedWeight', props.cachedWeight ?? this.inputWeight, 0, 1_000_000, false);
    this.onStoreFailure = props.onStoreFailure ?? StoreFailure.CLOSED;
    this.shadow = props.shadow ?? false;
    if (this.inputWeight === 0 && this.outputWeight === 0) {
      refuse(this, { code: 'AIG493', what: 'the limit counts nothing', value: 0, fix: 'give input or output tokens a weight' });
    }
  }

  private checked(name: string, value: number, min: number, max: number, whole: boolean): number {
    if (!Number.isFinite(value) || value < min || value > max || (whole && !Number.isInteger(value))) {
      refuse(this, {
        code: 'AIG493',
        what: `${name} cannot be used`,
        value,
        allowed: `${whole ? 'a whole number' : 'a number'} from ${min} to ${max}`,
        fix: `change ${name}`,
      });
    }
    return value;
  }
}
