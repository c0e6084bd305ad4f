import type { RejectDecision, RequestFacts } from '../ext-proc/director';

/** The request must wait: `Admission.wait` follows. */
export const WAIT = 'wait';

/** Whether a request may be scheduled: the place where limits and queues come in, between its model and its endpoint. */
export interface Admission {
  /** Undefined admits at once, a rejection refuses. */
  admit(request: RequestFacts): RejectDecision | typeof WAIT | undefined;
  /** Keeps a request that `admit` let wait, and calls `resume` once, with a rejection or nothing; not after `abandon`. */
  wait(request: RequestFacts, resume: (rejection: RejectDecision | undefined) => void): void;
  /** The client of a waiting request has gone. */
  abandon(request: RequestFacts): void;
}
