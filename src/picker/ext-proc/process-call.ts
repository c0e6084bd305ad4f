import type { GrpcCall, GrpcStream } from '../http2/grpc';
import type { Outcome, RejectDecision, RouteDecision, RunningCall } from './director';
import { BodyMode, Phase, type ProcessingRequest } from './processing-request';
import { type DynamicMetadata, writeImmediateReply } from './processing-response';
import { rejectionHeaders } from './rejection';
import { RequestPhase, type RequestPhaseHost } from './request-phase';
import type { RequestState } from './request-state';
import { ResponsePhase, type ResponsePhaseHost } from './response-phase';
import type { ServiceContext } from './service-context';
import { WireError } from './wire-reader';

const OK = 0;
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

/** One `Process` call: one HTTP request and its answer. */
export class ProcessCall implements GrpcCall, RequestPhaseHost, ResponsePhaseHost, RunningCall {
  readonly request: RequestState;
  private readonly requestPhase: RequestPhase;
  private readonly responsePhase: ResponsePhase;
  private routed: RouteDecision | undefined;
  private routedAtMs = 0;
  private settled = false;
  /** No message is read any more. */
  private over = false;
  private closed = false;
  private failed = false;
  /** The director was told that its decision is not wanted any more. */
  private wasAbandoned = false;
  private answerIsHidden = false;

  constructor(
    readonly stream: GrpcStream,
    readonly context: ServiceContext,
  ) {
    this.request = context.takeState();
    this.requestPhase = new RequestPhase(this);
    this.responsePhase = new ResponsePhase(this);
  }

  onMessage(buffer: Buffer, start: number, end: number): void {
    if (this.over) return;
    try {
      this.handle(buffer, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.fail(INVALID_ARGUMENT, `malformed ProcessingRequest: ${error.message}`);
    }
  }

  /** Envoy half-closes when the request is over; what was not answered by then never will be. */
  onHalfClose(): void {
    if (!this.over) this.end(OK);
  }

  onClose(_reset: boolean): void {
    this.over = true;
    this.closed = true;
    this.stopRequest();
    this.settle(this.causeOfClose());
    // a director that decides after all must not find the next request here
    if (!this.wasAbandoned) this.context.giveState(this.request);
  }

  onRouted(decision: RouteDecision): void {
    this.routed = decision;
    this.routedAtMs = this.context.nowMs();
    if (this.closed) this.settle('client-disconnect');
    else decision.onCall?.(this);
  }

  get isUnanswered(): boolean {
    return !this.responsePhase.started;
  }

  evict(refusal: RejectDecision): boolean {
    if (this.over || this.settled) return false;
    this.settle('evicted');
    const { writer } = this.context;
    writeImmediateReply(writer, refusal.status, rejectionHeaders(refusal), refusal.body, refusal.reason);
    this.stream.send(writer.bytes, writer.at, writer.length);
    this.end(OK);
    this.stream.flush();
    return true;
  }

  onRequestSent(decision: RouteDecision): void {
    if (decision.observeResponse) return;
    this.settle('early-close');
    this.end(OK);
  }

  onFirstByte(): void {
    const { routed, context } = this;
    if (routed === undefined || this.settled) return;
    try {
      context.director.answered?.(routed);
    } catch (error) {
      context.onError(error);
    }
  }

  onChunk(gapMs: number): void {
    const { routed, context } = this;
    if (routed === undefined || this.settled) return;
    try {
      context.director.streamed?.(routed, gapMs);
    } catch (error) {
      context.onError(error);
    }
  }

  onAnswered(): DynamicMetadata | undefined {
    return this.settle('natural');
  }

  end(status: number, message?: string): void {
    this.over = true;
    this.stopRequest();
    this.stream.end(status, message);
  }

  private stopRequest(): void {
    if (this.requestPhase.stop()) this.wasAbandoned = true;
  }

  private handle(buffer: Buffer, start: number, end: number): void {
    const { message } = this.context;
    message.decode(buffer, start, end);
    if (message.observabilityMode) {
      // the proxy would ignore every reply, so there is nothing to decide
      this.end(OK);
      return;
    }
    if (message.hasProtocolConfig) {
      const refused = unsupportedMode(message);
      if (refused !== undefined) {
        this.fail(UNIMPLEMENTED, `${refused} is not supported; use FULL_DUPLEX_STREAMED`);
        return;
      }
      this.responsePhase.configure(message.responseBodyMode);
      this.answerIsHidden = message.responseBodyMode === BodyMode.None;
    }
    switch (message.phase) {
      case Phase.RequestHeaders:
        this.requestPhase.onHeaders(message, buffer);
        return;
      case Phase.RequestBody:
        this.requestPhase.onBody(message, buffer);
        return;
      case Phase.RequestTrailers:
        this.requestPhase.onTrailers(message, buffer);
        return;
      case Phase.ResponseHeaders:
        // an answer without a decision comes from the proxy itself, for example after a timeout
        if (this.routed === undefined) this.stopRequest();
        this.responsePhase.onHeaders(message, buffer, this.routed);
        return;
      case Phase.ResponseBody:
        this.responsePhase.onBody(message, buffer);
        return;
      case Phase.ResponseTrailers:
        this.responsePhase.onTrailers();
        return;
      default:
        this.fail(INVALID_ARGUMENT, 'malformed ProcessingRequest: it holds no known part of a request');
    }
  }

  private fail(status: number, message: string): void {
    this.failed = true;
    this.end(status, message);
  }

  private causeOfClose(): Outcome['cause'] {
    if (this.failed) return 'error';
    // where no answer is shown, Envoy resets the stream as soon as the request is on its way
    if (this.answerIsHidden && !this.responsePhase.started) return 'early-close';
    return 'client-disconnect';
  }

  /** Reports a routed request once; returns the metadata for the last message. */
  private settle(cause: Outcome['cause']): DynamicMetadata | undefined {
    const { routed, request, responsePhase, context } = this;
    if (routed === undefined || this.settled) return undefined;
    this.settled = true;
    const { usage } = request.answer;
    const firstByteAtMs = responsePhase.firstByteAtMs;
    const outcome: Outcome = {
      status: responsePhase.status,
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      cachedTokens: usage.cachedTokens,
      ...(responsePhase.isStream ? { deltas: request.answer.deltas } : {}),
      requestBytes: this.requestPhase.requestBytes,
      responseBytes: responsePhase.bytes,
      firstByteMs: firstByteAtMs < 0 ? -1 : firstByteAtMs - this.routedAtMs,
      ...(responsePhase.started ? { handlingMs: responsePhase.handlingMs } : {}),
      cause,
    };
    try {
      context.director.settle(request, routed, outcome);
      return cause === 'natural' ? context.answerMetadata?.(routed, outcome) : undefined;
    } catch (error) {
      context.onError(error);
      return undefined;
    }
  }
}

/** BUFFERED_PARTIAL shows a part of the body only, and GRPC messages are not what these APIs send. */
function unsupportedMode(message: ProcessingRequest): string | undefined {
  if (!isSupported(message.requestBodyMode)) return `request_body_mode ${message.requestBodyMode}`;
  if (!isSupported(message.responseBodyMode)) return `response_body_mode ${message.responseBodyMode}`;
  return undefined;
}

function isSupported(mode: BodyMode): boolean {
  return (
    mode === BodyMode.None || mode === BodyMode.Streamed || mode === BodyMode.Buffered || mode === BodyMode.FullDuplexStreamed
  );
}
