import { BodyPool } from './body-pool';
import type { Director, Outcome, RejectDecision, RequestFacts, RouteDecision } from './director';
import { HeaderBlock } from './header-block';
import { ProcessingRequest } from './processing-request';
import type { DynamicMetadata } from './processing-response';
import { RequestState } from './request-state';
import { WireWriter } from './wire-writer';

export interface ExtProcOptions {
  readonly director: Director;
  /** Largest request body in bytes; a larger one is answered with 413. @default 16 MiB */
  readonly maxBodyBytes?: number;
  /** Bytes of all request bodies held at once; a request beyond it is answered with 503. @default 1 GiB */
  readonly maxBufferedBytes?: number;
  /** Dynamic metadata for the last message of an answer, for example its token counts for the proxy's rate limit. */
  readonly answerMetadata?: (decision: RouteDecision, outcome: Outcome) => DynamicMetadata | undefined;
  /** Told of requests that were refused without asking the director: malformed, too large, or beyond the memory for bodies. */
  readonly onRefused?: (request: RequestFacts, decision: RejectDecision) => void;
  /** Told of exceptions that the director threw; the request is answered with 500. */
  readonly onError: (error: unknown) => void;
  /** Whether the director asks for metadata of requests. @default never */
  readonly keepsMetadata?: () => boolean;
  /** Milliseconds of a monotonic clock. @default performance.now */
  readonly nowMs?: () => number;
}

const MIB = 1024 * 1024;
const MAX_KEPT_BYTES = 64 * MIB;
const MAX_KEPT_STATES = 4096;

/**
 * What all calls of one service share. Messages are handled one at a time and replies are copied when they are sent, so one decoder
 * and one writer serve all of them; neither may be held across a call to the director, which may answer other requests meanwhile.
 */
export class ServiceContext {
  readonly director: Director;
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  readonly answerMetadata: ExtProcOptions['answerMetadata'];
  readonly onRefused: ExtProcOptions['onRefused'];
  readonly onError: (error: unknown) => void;
  readonly keepsMetadata: () => boolean;
  readonly nowMs: () => number;
  readonly message = new ProcessingRequest();
  readonly writer = new WireWriter();
  readonly answerHeaders = new HeaderBlock();
  readonly pool = new BodyPool(MAX_KEPT_BYTES);
  private readonly states: RequestState[] = [];
  private lastId = 0;

  constructor(options: ExtProcOptions) {
    this.director = options.director;
    this.maxBodyBytes = options.maxBodyBytes ?? 16 * MIB;
    this.maxBufferedBytes = options.maxBufferedBytes ?? 1024 * MIB;
    this.answerMetadata = options.answerMetadata;
    this.onRefused = options.onRefused;
    this.onError = options.onError;
    this.keepsMetadata = options.keepsMetadata ?? (() => false);
    this.nowMs = options.nowMs ?? (() => performance.now());
  }

  nextId(): number {
    return ++this.lastId;
  }

  takeState(): RequestState {
    return this.states.pop() ?? new RequestState();
  }

  giveState(state: RequestState): void {
    state.clear();
    if (this.states.length < MAX_KEPT_STATES) this.states.push(state);
  }
}
