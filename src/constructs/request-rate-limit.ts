import type { Construct } from 'constructs';
import {
  type CountedUnits,
  type CountedWindow,
  PickerLimit,
  type PickerLimitOptions,
  UNWEIGHTED,
  type WindowOptions,
} from './picker-limit';
import type { CalendarWindow } from './values/calendar-window';

/** What `addRequestRateLimit` takes. */
export interface RequestRateLimitOptions extends PickerLimitOptions, WindowOptions {
  /** Requests per window: a whole number from 1. */
  readonly requests: number;
}

/** Properties of {@link RequestRateLimit}. */
export interface RequestRateLimitProps extends RequestRateLimitOptions {
  /** Name of the limit in metrics and errors. @default - the construct's id */
  readonly limitName?: string;
}

/**
 * How many requests may begin in a window, enforced by the picker beside budgets of tokens. A request that no engine could take counts
 * nothing; one that an engine answered counts, whatever the answer.
 *
 * @throws AIG493 for a number or window that cannot be used
 */
export class RequestRateLimit extends PickerLimit {
  public readonly requests: number;
  /** Undefined where `calendarWindow` is there. */
  public readonly windowSeconds: number | undefined;
  public readonly calendarWindow: CalendarWindow | undefined;
  private readonly counted: CountedWindow;

  public constructor(scope: Construct, id: string, props: RequestRateLimitProps) {
    super(scope, id, props);
    this.requests = this.whole('requests', props.requests);
    this.counted = this.countedWindow(props);
    this.windowSeconds = this.counted.windowSeconds;
    this.calendarWindow = props.calendarWindow;
  }

  /** @internal */
  public _counts(): CountedUnits {
    return { ...UNWEIGHTED, unit: 'requests', amount: this.requests, ...this.counted };
  }
}
