import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { type CountedUnits, PickerLimit, type PickerLimitOptions, UNWEIGHTED } from './picker-limit';

/** What `addRequestRateLimit` takes. */
export interface RequestRateLimitOptions extends PickerLimitOptions {
  /** Requests per window: a whole number from 1. */
  readonly requests: number;
  /** Length of the window, from a second to 366 days. */
  readonly window: Duration;
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
  public readonly windowSeconds: number;

  public constructor(scope: Construct, id: string, props: RequestRateLimitProps) {
    super(scope, id, props);
    this.requests = this.whole('requests', props.requests);
    this.windowSeconds = this.seconds(props.window);
  }

  /** @internal */
  public _counts(): CountedUnits {
    return { ...UNWEIGHTED, unit: 'requests', amount: this.requests, windowSeconds: this.windowSeconds };
  }
}
