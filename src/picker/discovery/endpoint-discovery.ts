import type { Problem } from '../../shared/problem';

/** How well a source knows what it is to know. */
export interface SourceStatus {
  /** What is followed, in words: `file /etc/endpoints.yaml`, `pods ai/app=llama`. */
  readonly source: string;
  /** It was known once; from then on the last known state is served, whatever happens. */
  readonly isSynced: boolean;
  /** It is followed at this moment, as far as one can tell. */
  readonly isCurrent: boolean;
  /** Since when `isCurrent` is what it is, in milliseconds of the Unix epoch. */
  readonly sinceMs: number;
  /** Seconds since the state was last known to be right; 0 while it is followed. */
  readonly staleSeconds: number;
  /** What went wrong last, while it does. */
  readonly lastError: string | undefined;
  /** Failures since the start. */
  readonly failures: number;
}

/**
 * Finds the endpoints of one pool and hands them to its store, again and again. Every way to find endpoints is one: a file, an InferencePool,
 * pods by label, a DNS name; several run side by side when there are several pools.
 */
export interface EndpointDiscovery {
  /**
   * Begins. What goes wrong later is logged and tried again, and the last known endpoints stay.
   * @param onSynced called once, when the endpoints are in the store for the first time (there may be none); maybe before this returns
   * @returns why it cannot begin at all; nothing is left open then
   */
  start(onSynced: () => void): readonly Problem[];
  stop(): void;
  /** One entry for everything that is followed. */
  statuses(): readonly SourceStatus[];
}
