import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { PolicyLimit } from '../picker-config/picker-policy';
import { refuse } from './internal/errors';
import type { CalendarWindow } from './values/calendar-window';
import type { RateLimitKey } from './values/rate-limit-key';
import { StoreFailure } from './values/token-store';

/** What every limit of a gateway can be told. */
export interface PickerLimitOptions {
  /** What is counted together. */
  readonly key: RateLimitKey;
  /** Models that count. @default - all */
  readonly models?: string[];
  /** What happens while the shared store does not answer. @default StoreFailure.CLOSED */
  readonly onStoreFailure?: StoreFailure;
  /** Count and report, but refuse nothing. @default false */
  readonly shadow?: boolean;
}

/** Properties of every limit. */
export interface PickerLimitProps extends PickerLimitOptions {
  /** Name of the limit in metrics and errors. @default - the construct's id */
  readonly limitName?: string;
}

/** The window of a limit, as the picker's policy says it. */
export type CountedWindow = Pick<PolicyLimit, 'windowSeconds' | 'calendarWindow'>;

/** What a limit counts, as the picker's policy says it. */
export type CountedUnits = CountedWindow & Pick<PolicyLimit, 'unit' | 'amount' | 'weights' | 'clamp' | 'enforcedBy'>;

/** In what time a limit counts: one of these. */
export interface WindowOptions {
  /** Length of a window that slides, from a second to 366 days. @default - `calendarWindow` */
  readonly window?: Duration;
  /** A day, week or month of the calendar, instead of a length. @default - `window` */
  readonly calendarWindow?: CalendarWindow;
}

/** Of what is not counted in tokens. */
export const UNWEIGHTED: Pick<CountedUnits, 'weights' | 'clamp'> = { weights: { input: 1, output: 1, cached: 1 }, clamp: false };

/** A limit of a gateway. The picker enforces it, unless it is a budget of tokens that the gateway itself is to enforce. */
export abstract class PickerLimit extends Construct {
  public readonly limitName: string;
  public readonly key: RateLimitKey;
  public readonly models: readonly string[] | undefined;
  public readonly onStoreFailure: StoreFailure;
  public readonly shadow: boolean;

  protected constructor(scope: Construct, id: string, props: PickerLimitProps) {
    super(scope, id);
    this.limitName = props.limitName ?? id;
    this.key = props.key;
    this.models = props.models;
    this.onStoreFailure = props.onStoreFailure ?? StoreFailure.CLOSED;
    this.shadow = props.shadow ?? false;
  }

  /** @internal */
  public abstract _counts(): CountedUnits;

  /** @throws AIG493 for a value that is out of range */
  protected number(name: string, value: number, min: number, max: number): number {
    return this.checked(name, value, min, max, 'a number', Number.isFinite(value));
  }

  /** @throws AIG493 for a value that is no whole number, or out of range */
  protected whole(name: string, value: number, min = 1, max = Number.MAX_SAFE_INTEGER): number {
    return this.checked(name, value, min, max, 'a whole number', Number.isInteger(value));
  }

  /** As the picker's policy says it. @throws AIG493 for a window that cannot be used, for none and for two */
  protected countedWindow({ window, calendarWindow }: WindowOptions): CountedWindow {
    if ((window === undefined) === (calendarWindow === undefined)) {
      refuse(this, {
        code: 'AIG493',
        what: window === undefined ? 'the limit does not say in what time it counts' : 'the limit has two windows',
        value: window === undefined ? 'none' : 'window, calendarWindow',
        allowed: 'exactly one of window, calendarWindow',
        fix: window === undefined ? 'for example window: Duration.minutes(1)' : 'keep one',
      });
    }
    if (calendarWindow !== undefined)
      return { calendarWindow: { period: calendarWindow.period, timeZone: calendarWindow.timeZone } };
    return { windowSeconds: this.whole('window in seconds', window!.toSeconds({ integral: false }), 1, 366 * 86_400) };
  }

  private checked(name: string, value: number, min: number, max: number, what: string, isOne: boolean): number {
    if (isOne && value >= min && value <= max) return value;
    return refuse(this, {
      code: 'AIG493',
      what: `${name} cannot be used`,
      value,
      allowed: `${what} from ${min} to ${max}`,
      fix: `change ${name}`,
    });
  }
}
