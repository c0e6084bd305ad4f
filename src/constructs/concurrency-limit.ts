import type { Construct } from 'constructs';
import { type CountedUnits, PickerLimit, type PickerLimitOptions, UNWEIGHTED } from './picker-limit';

/** What `addConcurrencyLimit` takes. */
export interface ConcurrencyLimitOptions extends PickerLimitOptions {
  /** Requests at one time: a whole number from 1. */
  readonly requests: number;
}

/** Properties of {@link ConcurrencyLimit}. */
export interface ConcurrencyLimitProps extends ConcurrencyLimitOptions {
  /** Name of the limit in metrics and errors. @default - the construct's id */
  readonly limitName?: string;
}

/**
 * How many requests may run at one time, enforced by the picker: from its admission to the end of the answer or of the connection.
 *
 * @throws AIG493 for a number that cannot be used
 */
export class ConcurrencyLimit extends PickerLimit {
  public readonly requests: number;

  public constructor(scope: Construct, id: string, props: ConcurrencyLimitProps) {
    super(scope, id, props);
    this.requests = this.whole('requests', props.requests);
  }

  /** @internal */
  public _counts(): CountedUnits {
    return { ...UNWEIGHTED, unit: 'concurrent', amount: this.requests };
  }
}
