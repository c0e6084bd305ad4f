import type { Construct } from 'constructs';
import { refuse } from './internal/errors';
import { type CountedUnits, type CountedWindow, PickerLimit, type PickerLimitOptions, type WindowOptions } from './picker-limit';
import type { CalendarWindow } from './values/calendar-window';
import { LimitEnforcement } from './values/limit-enforcement';

/** What `addTokenRateLimit` takes. */
export interface TokenRateLimitOptions extends PickerLimitOptions, WindowOptions {
  /** Tokens per window: a whole number from 1. */
  readonly tokens: number;
  /** What one input token counts. @default 1 */
  readonly inputWeight?: number;
  /** What one output token counts. @default 1 */
  readonly outputWeight?: number;
  /** What one input token counts that the engine had in its cache. @default - as an input token */
  readonly cachedWeight?: number;
  /** Cut an answer to what is left of the budget, by `max_tokens`, rather than refuse a request that asks for more. @default false */
  readonly clampAnswers?: boolean;
  /**
   * Who counts the tokens and refuses. A gateway charges an answer when it is over, in fixed windows, and an aborted one not at all.
   * @default LimitEnforcement.PICKER
   */
  readonly enforcement?: LimitEnforcement;
}

/** Properties of {@link TokenRateLimit}. */
export interface TokenRateLimitProps extends TokenRateLimitOptions {
  /** Name of the limit in metrics and errors. @default - the construct's id */
  readonly limitName?: string;
}

/**
 * A budget of tokens, enforced by the picker unless `enforcement` says otherwise: reserved before a request, settled with the engine's
 * own count after it. It never becomes a limit on requests, whatever the gateway can do.
 *
 * @throws AIG493 for an amount, window or weight that cannot be used, and for what a gateway could not do
 */
export class TokenRateLimit extends PickerLimit {
  public readonly tokens: number;
  /** Undefined where `calendarWindow` is there. */
  public readonly windowSeconds: number | undefined;
  public readonly calendarWindow: CalendarWindow | undefined;
  private readonly counted: CountedWindow;
  public readonly inputWeight: number;
  public readonly outputWeight: number;
  public readonly cachedWeight: number;
  public readonly clampAnswers: boolean;
  public readonly enforcement: LimitEnforcement;

  public constructor(scope: Construct, id: string, props: TokenRateLimitProps) {
    super(scope, id, props);
    this.tokens = this.whole('tokens', props.tokens);
    this.counted = this.countedWindow(props);
    this.windowSeconds = this.counted.windowSeconds;
    this.calendarWindow = props.calendarWindow;
    this.inputWeight = this.number('inputWeight', props.inputWeight ?? 1, 0, 1_000);
    this.outputWeight = this.number('outputWeight', props.outputWeight ?? 1, 0, 1_000);
    this.cachedWeight = this.number('cachedWeight', props.cachedWeight ?? this.inputWeight, 0, 1_000);
    this.clampAnswers = props.clampAnswers ?? false;
    this.enforcement = props.enforcement ?? LimitEnforcement.PICKER;
    if (this.enforcement === LimitEnforcement.GATEWAY) this.refusePickerOptions(props);
    if (this.inputWeight === 0 && this.outputWeight === 0) {
      refuse(this, { code: 'AIG493', what: 'the limit counts nothing', value: 0, fix: 'give input or output tokens a weight' });
    }
    if (this.clampAnswers && this.outputWeight === 0) {
      const what = 'the limit does not count the output that clampAnswers would cut';
      refuse(this, {
        code: 'AIG493',
        what,
        value: 'outputWeight: 0',
        fix: 'give output tokens a weight, or leave clampAnswers out',
      });
    }
  }

  /** @internal */
  public _counts(): CountedUnits {
    return {
      unit: 'tokens',
      amount: this.tokens,
      ...this.counted,
      weights: { input: this.inputWeight, output: this.outputWeight, cached: this.cachedWeight },
      clamp: this.clampAnswers,
      ...(this.enforcement === LimitEnforcement.GATEWAY ? { enforcedBy: 'gateway' } : {}),
    };
  }

  private refusePickerOptions(props: TokenRateLimitProps): void {
    const names = (['calendarWindow', 'clampAnswers', 'onStoreFailure', 'shadow'] as const).filter(
      (name) => props[name] !== undefined,
    );
    if (names.length === 0) return;
    refuse(this, {
      code: 'AIG493',
      what: 'only the picker can do this, and the gateway is to enforce the limit',
      value: names.join(', '),
      fix: 'leave it out, or leave enforcement out',
    });
  }
}
