/** How a request left flow control; names and order are those of llm-d's metric label. */
export const OUTCOMES = [
  'Dispatched',
  'RejectedCapacity',
  'RejectedNoEndpoints',
  'RejectedOther',
  'EvictedTTL',
  'EvictedNoEndpoints',
  'EvictedContextCancelled',
  'EvictedOther',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Why a request was refused. */
export type RefusalReason =
  /** Its body is larger than the queue may ever be. */
  | 'too-large'
  /** The queue is full, of requests that matter as much. */
  | 'full'
  /** A pool without endpoints, and its waiting room is full. */
  | 'no-endpoints'
  /** It waited as long as it may. */
  | 'expired'
  | 'expired-no-endpoints'
  /** Its place was needed for a request of a higher priority. */
  | 'evicted-priority'
  /** It ran, and its place was needed for a request of a higher priority. */
  | 'evicted-running'
  /** Its place was needed for a tenant who has fewer in the queue. */
  | 'evicted-pressure'
  /** The pool is saturated, and nobody waits in this configuration. */
  | 'shed'
  | 'shutting-down';

export const OUTCOME_OF: Readonly<Record<RefusalReason, Outcome>> = {
  'too-large': 'RejectedCapacity',
  full: 'RejectedCapacity',
  'no-endpoints': 'RejectedNoEndpoints',
  expired: 'EvictedTTL',
  'expired-no-endpoints': 'EvictedNoEndpoints',
  'evicted-priority': 'EvictedOther',
  'evicted-pressure': 'EvictedOther',
  'evicted-running': 'EvictedOther',
  shed: 'RejectedCapacity',
  'shutting-down': 'RejectedOther',
};

export interface Refusal {
  readonly kind: 'refusal';
  readonly reason: RefusalReason;
  readonly band: string;
  readonly pool: string;
  readonly waitedMs: number;
  /** When a place will probably be free; -1 where trying again is of no use. */
  readonly retryMs: number;
}
