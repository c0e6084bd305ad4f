import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import type { TrustOptions } from '../scheduling/trust';

/** How flows of one band take turns. */
export type Fairness = 'none' | 'roundRobin' | 'attainedService';
/** In which order the requests of one flow are served. */
export type Ordering = 'arrival' | 'deadline' | 'slo';

/** Which running requests of a band may be ended for one that matters more: none, those whose answer has not begun, or all. */
export type Evicts = 'none' | 'unanswered' | 'running';

export interface BandSettings {
  /** For metrics and pages. */
  readonly name: string;
  /** Higher goes first. */
  readonly priority: number;
  /** Requests of the band that may wait for one pool. */
  readonly maxRequests: number;
  /** Bytes of their bodies. */
  readonly maxBytes: number;
  /** Longest wait, in milliseconds; Infinity waits for ever. */
  readonly queueMs: number;
  readonly fairness: Fairness;
  readonly ordering: Ordering;
  /** Saturation from which the band's requests wait. */
  readonly ceiling: number;
  /** Saturation from which they wait while a higher band was used in the last minute; see `HOLDBACK_MS`. */
  readonly busyCeiling: number;
  readonly evicts: Evicts;
}

export interface FlowControlSettings {
  /** False: nobody waits; requests of a priority below 0 are refused while the pool is saturated, as llm-d does without its gate. */
  readonly queues: boolean;
  readonly bands: readonly BandSettings[];
  /** The band of a priority that is not listed. */
  bandFor(priority: number): BandSettings;
  /** Requests that may wait in all bands and pools together. */
  readonly maxRequests: number;
  /** Bytes of their bodies. */
  readonly maxBytes: number;
  /** For pools without a ready endpoint. */
  readonly waitingRoom: WaitingRoom;
  readonly saturation: Saturation;
  /** How long reports are believed: as the scheduler does. @default DEFAULT_TRUST */
  readonly trust?: TrustOptions;
}

export interface WaitingRoom {
  /** Requests that may wait for one pool to get an endpoint. */
  readonly maxRequests: number;
  /** Longest wait, in milliseconds. */
  readonly queueMs: number;
}

/** How full one endpoint is. Pure: everything comes from the table. */
export interface Saturation {
  /** 0 is idle, 1 is full. */
  level(table: EndpointTable, slot: number, nowMs: number): number;
}
