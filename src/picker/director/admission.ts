import type { Outcome, RejectDecision, RequestFacts, RunningCall } from '../ext-proc/director';
import type { DynamicMetadata } from '../ext-proc/processing-response';
import type { VerifiedClient } from '../identity/identity';
import type { ResolvedModel } from './model-resolver';

/** The request must wait: `Admission.wait` follows. */
export const WAIT = 'wait';

/** Whether a request may be scheduled: the place where identity, limits and queues come in, before and behind its model. */
export interface Admission {
  /** Asked before the client is told anything, names of models included. A rejection is for a client that is not known. */
  identify?(request: RequestFacts): RejectDecision | undefined;
  /** Asked right behind `identify`, when the model is known. Undefined admits at once and keeps no books, a rejection refuses. */
  admit(request: RequestFacts, resolved: ResolvedModel): Grant | RejectDecision | typeof WAIT | undefined;
  /** Keeps a request that `admit` let wait, and calls `resume` once, with what `admit` would have said; not after `abandon`. */
  wait(request: RequestFacts, resume: (verdict: Grant | RejectDecision | undefined) => void): void;
  /** The client of a waiting request has gone. */
  abandon(request: RequestFacts): void;
}

/** Leave for a request. For every request that got it, exactly one of `settle` and `release` is called, once. */
export interface Grant {
  readonly kind: 'grant';
  /** Whose request it is. @default nobody is known */
  readonly client?: VerifiedClient | undefined;
  /** Request headers that the engine must not see; undefined for none. */
  readonly removeHeaders: readonly string[] | undefined;
  /** Request headers for the filters behind the picker, name and value in turn. @default none */
  readonly setHeaders?: readonly string[] | undefined;
  /** The request is paid for by its tokens, so a stream must tell them. */
  readonly wantsUsage: boolean;
  /** What the client is told of its limits, name and value in turn; undefined for nothing. */
  readonly answerHeaders: readonly string[] | undefined;
  /** Output tokens to which each answer is cut; undefined where the request's own bound will do. */
  readonly maxTokens?: number | undefined;
  /** Told of the pool that serves the request, where it goes on. @default it makes no difference */
  servedBy?(pool: string): void;
  /** Told of the request's call, where it may have to be ended. @default nobody ends it */
  readonly onCall?: ((call: RunningCall) => void) | undefined;
  settle(outcome: Outcome): void;
  /** What the filters of the gateway hear of a request that has settled. @default nothing */
  answerMetadata?(outcome: Outcome): DynamicMetadata | undefined;
  /** No endpoint was found after all. */
  release(): void;
}
