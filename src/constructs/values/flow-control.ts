import type { Duration, Size } from 'cdk8s';
import type { Criticality } from './criticality';

/**
 * Who waits, how long, and in which order, while pools are full. Each replica of a picker has queues of its own. What is left out has the
 * picker's defaults; without any of it there are queues as soon as models differ in criticality.
 */
export interface FlowControlOptions {
  /** Settings of the queue of a criticality, which a model or tenant must have. @default - each has the defaults of PriorityBandOptions */
  readonly bands?: PriorityBandOptions[];
  /** Criticality of the requests of a tenant, or of a client without one, whatever the model's. Needs `identity`. @default - the model's */
  readonly tenants?: { readonly [tenant: string]: Criticality };
  /** Requests of all queues that may wait. @default 20000 */
  readonly maxRequests?: number;
  /** Size of the bodies of all queues that wait. @default Size.mebibytes(512) */
  readonly maxSize?: Size;
  /** Requests for pools without a ready endpoint. @default - see WaitingRoomOptions */
  readonly waitingRoom?: WaitingRoomOptions;
  /** When an endpoint counts as full. @default - see SaturationOptions */
  readonly saturation?: SaturationOptions;
  /** Whose place a request of a higher priority may take. @default Eviction.QUEUED */
  readonly eviction?: Eviction;
}

/** The queue of the requests of one criticality. Numbers hold for each pool. */
export interface PriorityBandOptions {
  /** Whose queue it is. */
  readonly criticality: Criticality;
  /** Requests that may wait. @default 5000 */
  readonly maxRequests?: number;
  /** Size of the bodies that may wait. @default - what `maxSize` of all queues leaves */
  readonly maxSize?: Size;
  /** Longest wait. @default Duration.seconds(60) */
  readonly queueTime?: Duration;
  /** Whose turn it is among tenants. @default QueueFairness.ATTAINED_SERVICE */
  readonly fairness?: QueueFairness;
  /** Order among the requests of a tenant. @default QueueOrder.ARRIVAL */
  readonly order?: QueueOrder;
  /** Saturation of the pool from which this queue waits for those above it. 0.1 to 1. @default 0.9, and 0.8 for a priority below 0 */
  readonly ceilingRatio?: number;
}

/** Requests that wait for the first endpoint of a pool, as after a start from zero. */
export interface WaitingRoomOptions {
  /** Requests that may wait; 0 refuses them at once. @default 1000 */
  readonly maxRequests?: number;
  /** Longest wait. @default Duration.seconds(60) */
  readonly queueTime?: Duration;
}

/** When an endpoint takes no more. */
export interface SaturationOptions {
  /** Requests that wait in the engine. 0.1 or more. @default 5 */
  readonly queueDepth?: number;
  /** Share of its KV cache in use. 0.01 to 1. @default 0.95 */
  readonly kvCacheUsageRatio?: number;
}

/** Whose place a request of a higher priority may take when a pool is full: of running ones, always one with a priority below 0. */
export class Eviction {
  /** Of those that wait: nothing but their time is lost. */
  public static readonly QUEUED = new Eviction('queued');
  /** Also of those that an engine works on, as long as their clients have heard nothing: they get 429, and the engine's work is lost. */
  public static readonly UNANSWERED = new Eviction('unanswered');
  /** Also of those in the middle of their answer, which is cut off. */
  public static readonly RUNNING = new Eviction('running');

  private constructor(
    /** As the policy spells it. */
    public readonly name: 'queued' | 'unanswered' | 'running',
  ) {}
}

/** Whose turn it is among the tenants that wait. */
export class QueueFairness {
  /** Who has used fewest tokens. */
  public static readonly ATTAINED_SERVICE = new QueueFairness('attainedService');
  /** One request of each in turn. */
  public static readonly ROUND_ROBIN = new QueueFairness('roundRobin');
  /** All are one. */
  public static readonly NONE = new QueueFairness('none');

  private constructor(
    /** As the policy spells it. */
    public readonly name: 'attainedService' | 'roundRobin' | 'none',
  ) {}
}

/** Order among the requests of a tenant. */
export class QueueOrder {
  /** First come, first served. */
  public static readonly ARRIVAL = new QueueOrder('arrival');
  /** Who must give up first. */
  public static readonly DEADLINE = new QueueOrder('deadline');
  /** Who wants its first token first, by the header `x-llm-d-slo-ttft-ms`. Not with QueueFairness.NONE. */
  public static readonly SLO = new QueueOrder('slo');

  private constructor(
    /** As the policy spells it. */
    public readonly name: 'arrival' | 'deadline' | 'slo',
  ) {}
}
