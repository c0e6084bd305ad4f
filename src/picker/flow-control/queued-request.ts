import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import type { Band } from './band';
import type { Waiting } from './flow';
import type { HeapEntry } from './indexed-heap';
import type { Line } from './line';

/** A pool that requests may go to. */
export interface QueuedPool {
  readonly name: string;
  readonly endpoints: EndpointSource;
}

/** A request that wants to go on. One object may be used again for every request. */
export interface Ask {
  /** The pools to try in turn; never empty. */
  readonly attempts: readonly { readonly pool: QueuedPool }[];
  readonly priority: number;
  /** Whose request it is; empty where nobody says. */
  readonly fairnessId: string;
  /** Of the body. */
  readonly bytes: number;
  /** Wanted time to the first token, in milliseconds; -1 for none. */
  readonly sloMs: number;
  /** Longest wait that is of use to the client, in milliseconds; -1 for no bound. */
  readonly patienceMs: number;
  readonly model: string;
  readonly targetModel: string;
}

/** A request in the queue, and where it stands. */
export class QueuedRequest<T> implements Waiting<T> {
  public readonly kind = 'waiting';
  public readonly attempts: Ask['attempts'];
  public readonly priority: number;
  public readonly fairnessId: string;
  public readonly bytes: number;
  public readonly sloMs: number;
  public readonly model: string;
  public readonly targetModel: string;
  public readonly order: HeapEntry<Waiting<T>> = { value: this, at: -1 };
  public readonly expiry: HeapEntry<QueuedRequest<T>> = { value: this, at: -1 };

  public constructor(
    public readonly ticket: T,
    ask: Ask,
    /** Number of its arrival. */
    public readonly arrival: number,
    public readonly enqueuedMs: number,
    public readonly deadlineMs: number,
    public line: Line<T>,
    public band: Band<T>,
  ) {
    this.attempts = ask.attempts;
    this.priority = ask.priority;
    this.fairnessId = ask.fairnessId;
    this.bytes = ask.bytes;
    this.sloMs = ask.sloMs;
    this.model = ask.model;
    this.targetModel = ask.targetModel;
  }
}
