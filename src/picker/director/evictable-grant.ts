import type { Outcome, RejectDecision, RunningCall } from '../ext-proc/director';
import type { DynamicMetadata } from '../ext-proc/processing-response';
import type { Evictable, Flow } from '../flow-control/flow';
import type { HeapEntry } from '../flow-control/indexed-heap';
import type { Refusal } from '../flow-control/outcome';
import type { Grant } from './admission';

export interface EvictableParts {
  /** The answer that the client gets then. */
  readonly refusal: (why: Refusal) => RejectDecision;
  readonly order: number;
  readonly beganMs: number;
}

/** Leave for a request that may be ended while it runs. */
export class EvictableGrant implements Grant, Evictable {
  public readonly kind = 'grant';
  public readonly place: HeapEntry<Evictable> = { value: this, at: -1 };
  public readonly order: number;
  public readonly beganMs: number;
  private call: RunningCall | undefined;

  public constructor(
    private readonly inner: Grant,
    private readonly flow: Pick<Flow<unknown>, 'evicts' | 'evictable'>,
    private readonly parts: EvictableParts,
  ) {
    this.order = parts.order;
    this.beganMs = parts.beganMs;
  }

  public get client(): Grant['client'] {
    return this.inner.client;
  }

  public get removeHeaders(): Grant['removeHeaders'] {
    return this.inner.removeHeaders;
  }

  public get setHeaders(): Grant['setHeaders'] {
    return this.inner.setHeaders;
  }

  public get wantsUsage(): boolean {
    return this.inner.wantsUsage;
  }

  public get answerHeaders(): Grant['answerHeaders'] {
    return this.inner.answerHeaders;
  }

  public get maxTokens(): Grant['maxTokens'] {
    return this.inner.maxTokens;
  }

  public servedBy(pool: string): void {
    this.inner.servedBy?.(pool);
  }

  public readonly onCall = (call: RunningCall): void => {
    this.call = call;
    this.flow.evictable.add(this.place);
  };

  public evict(why: Refusal): boolean {
    const call = this.call!;
    if (this.flow.evicts === 'unanswered' && !call.isUnanswered) return false;
    return call.evict(this.parts.refusal(why));
  }

  public settle(outcome: Outcome): void {
    this.forget();
    this.inner.settle(outcome);
  }

  public answerMetadata(outcome: Outcome): DynamicMetadata | undefined {
    return this.inner.answerMetadata?.(outcome);
  }

  public release(): void {
    this.forget();
    this.inner.release();
  }

  private forget(): void {
    if (this.place.at >= 0) this.flow.evictable.remove(this.place);
  }
}
