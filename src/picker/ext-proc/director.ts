import type { ScannedBody } from '../openai/scanned-body';

/** A request, as far as ext_proc has received it, when a decision is due. Reused objects: valid until the stream closes. */
export interface RequestFacts {
  /** Unique in this process, for the decision log. */
  readonly id: number;
  /** First value of a request header (lower-case name), control headers of clients included; undefined when absent. */
  header(name: string): string | undefined;
  /** A text of the proxy's dynamic metadata. @default there is none */
  metadata?(namespace: string, key: string): string | undefined;
  readonly method: string;
  /** `:path` with its query. */
  readonly path: string;
  /**
   * The whole body, until the decision has been sent; undefined for a request without one, and where the proxy does not show it before
   * the decision (request_body_mode NONE, or STREAMED without send_body_without_waiting_for_header_response).
   */
  readonly body: Buffer | undefined;
  /** What the body scanner found, never with an error: such requests are answered with 400; undefined without a body. */
  readonly scanned: ScannedBody | undefined;
  /** Subset hint of the proxy: `ip:port` or bare `ip` entries; undefined when there is none. */
  readonly subset: readonly string[] | undefined;
}

/** Send the request to these endpoints. */
export interface RouteDecision {
  readonly kind: 'route';
  /** `ip:port[,ip:port…]`, in the order of preference. */
  readonly destination: string;
  /** Model name that the engine must see; undefined leaves the body untouched. */
  readonly targetModel: string | undefined;
  /** Further request headers to set, name and value in turn. */
  readonly setHeaders: readonly string[] | undefined;
  /** Response headers for the client, name and value in turn; none unless given. */
  readonly answerHeaders?: readonly string[] | undefined;
  /** Request headers that end here, beside the control headers: credentials that are no business of the engine. @default none */
  readonly removeHeaders?: readonly string[] | undefined;
  /** The engine must tell its usage in a stream, whether the client asked for that or not. @default false */
  readonly wantsUsage?: boolean;
  /** Bound on each answer of the engine, which the request does not keep within. @default as the request says */
  readonly maxTokens?: number | undefined;
  /** False when nobody needs the answer (usage, in-flight): the stream is then closed early. */
  readonly observeResponse: boolean;
  /** Told of the call when the request is on its way, where it may have to be ended from here. */
  readonly onCall?: ((call: RunningCall) => void) | undefined;
  /** Handed back at `settle`. */
  readonly ticket: unknown;
}

/** A request that an engine works on. */
export interface RunningCall {
  /** Nothing has been told to the client. */
  readonly isUnanswered: boolean;
  /**
   * Ends it: with this answer if none has begun, else by cutting that off. It is settled before this returns, with the cause `evicted`. False
   * when it is over.
   */
  evict(refusal: RejectDecision): boolean;
}

/** Answer the client from here. */
export interface RejectDecision {
  readonly kind: 'reject';
  readonly status: number;
  /** Machine readable reason for the log, for example `rejected-saturated`. */
  readonly reason: string;
  /** The whole body of the answer. */
  readonly body: Buffer;
  /** Response headers, name and value in turn; `content-type` among them. */
  readonly headers: readonly string[];
}

export type Decision = RouteDecision | RejectDecision;

/** How a routed request ended. */
export interface Outcome {
  /** `:status` of the engine's answer; 0 when there was none. */
  readonly status: number;
  /** -1 where unknown. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  /** Events with data that a stream has brought. @default not counted */
  readonly deltas?: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Milliseconds from the decision to the first byte of the answer's body; -1 when there was none. */
  readonly firstByteMs: number;
  /** Milliseconds that its messages took to handle here. @default not measured */
  readonly handlingMs?: number;
  readonly cause: 'natural' | 'client-disconnect' | 'evicted' | 'early-close' | 'error';
}

/** Chooses; implemented by the composition of admission and scheduling. */
export interface Director {
  /**
   * Decides at once, or returns undefined and calls `resume` exactly once later (a request that queues).
   * `abandon` is called instead when the client has gone before that.
   */
  decide(request: RequestFacts, resume: (decision: Decision) => void): Decision | undefined;
  abandon(request: RequestFacts): void;
  /** The first byte of the answer's body has passed. Only where answers are watched, and never after `settle`. */
  answered?(decision: RouteDecision): void;
  /** A further chunk of a stream of events has passed, so many milliseconds behind the one before. Not after `settle`. */
  streamed?(decision: RouteDecision, gapMs: number): void;
  /** Called exactly once for every route decision. */
  settle(request: RequestFacts, decision: RouteDecision, outcome: Outcome): void;
}
