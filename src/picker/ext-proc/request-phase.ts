import type { GrpcStream } from '../http2/grpc';
import { scanBody } from '../openai/body-scanner';
import type { ErrorCode } from '../openai/error-body';
import type { BodyEdit } from './body-edit';
import { BodyBuffer } from './body-pool';
import type { Decision, RejectDecision, RouteDecision } from './director';
import { modelEdit } from './model-edit';
import { outputEdits } from './output-edit';
import { BodyMode, type ProcessingRequest } from './processing-request';
import { writeImmediateReply } from './processing-response';
import { rejection, rejectionHeaders } from './rejection';
import { RequestReply } from './request-reply';
import type { RequestState } from './request-state';
import type { ServiceContext } from './service-context';
import { subsetHint } from './subset-hint';
import { usageEdit } from './usage-edit';

/** What the request phase asks of its call. */
export interface RequestPhaseHost {
  readonly stream: GrpcStream;
  readonly context: ServiceContext;
  readonly request: RequestState;
  onRouted(decision: RouteDecision): void;
  /** The proxy has everything it needs to send the request on. */
  onRequestSent(decision: RouteDecision): void;
  /** The stream must end: answered, or in error. */
  end(status: number, message?: string): void;
}

enum Stage {
  Headers,
  Body,
  Deciding,
  /** Decided; pieces of the body still pass by (STREAMED). */
  Passing,
  Sent,
  Over,
}

const FAILED_PRECONDITION = 9;
/** A client may announce what it never sends, so no more than this is set aside for it. */
const MAX_EXPECTED_BYTES = 1024 * 1024;

/** Headers, body and trailers of one request, up to the decision and its replies. */
export class RequestPhase {
  private stage = Stage.Headers;
  private mode = BodyMode.FullDuplexStreamed;
  private bodyFirst = false;
  private readonly body: BodyBuffer;
  private readonly reply: RequestReply;
  private decision: RouteDecision | undefined;
  /** Bytes of the body seen so far. */
  requestBytes = 0;

  constructor(private readonly host: RequestPhaseHost) {
    this.body = new BodyBuffer(host.context.pool);
    this.reply = new RequestReply(host.stream, host.context, host.request);
  }

  /** @throws WireError */
  onHeaders(message: ProcessingRequest, bytes: Buffer): void {
    if (this.stage !== Stage.Headers) {
      this.outOfOrder('request_headers');
      return;
    }
    const { context, request } = this.host;
    if (message.hasProtocolConfig) {
      this.mode = message.requestBodyMode;
      this.bodyFirst = message.bodyBeforeHeaderReply;
    }
    request.begin(context.nextId(), bytes, message.start, message.end);
    this.readMetadata(message, bytes);
    this.reply.endOfStream = message.endOfStream;
    const bodyFollows = !message.endOfStream && this.mode !== BodyMode.None;
    if (!bodyFollows || (this.mode === BodyMode.Streamed && !this.bodyFirst)) {
      this.decide(undefined);
      return;
    }
    if (request.headers.number('content-length') > context.maxBodyBytes) {
      this.refuseTooLarge();
      return;
    }
    this.stage = Stage.Body;
    if (this.mode === BodyMode.Buffered) this.reply.continueHeaders();
    else if (this.mode === BodyMode.Streamed) this.reply.countPieces();
  }

  /** @throws WireError */
  onBody(message: ProcessingRequest, bytes: Buffer): void {
    if (this.stage === Stage.Passing) {
      this.passPiece(message);
      return;
    }
    if (this.stage !== Stage.Body) {
      this.outOfOrder('request_body');
      return;
    }
    this.readMetadata(message, bytes);
    const { context, request } = this.host;
    const length = message.end - message.start;
    if (this.body.length + length > context.maxBodyBytes) {
      this.refuseTooLarge();
      return;
    }
    this.reply.addPiece(length);
    this.reply.endOfStream = message.endOfStream;
    // a BUFFERED body is whole even when trailers follow it
    const isLast = message.endOfStream || this.mode === BodyMode.Buffered;
    if (isLast && this.body.length === 0) {
      this.decide(bytes.subarray(message.start, message.end));
      return;
    }
    if (this.body.length === 0)
      this.body.expect(Math.max(length, Math.min(request.headers.number('content-length'), MAX_EXPECTED_BYTES)));
    this.body.append(bytes, message.start, message.end);
    if (context.pool.liveBytes > context.maxBufferedBytes) {
      this.refuse('ServiceUnavailable', 'too many request bytes in flight', 'rejected-saturated');
    } else if (isLast) this.decide(this.body.view());
  }

  /** @throws WireError */
  onTrailers(message: ProcessingRequest, bytes: Buffer): void {
    switch (this.stage) {
      case Stage.Body:
        if (this.mode === BodyMode.Buffered) {
          this.refuse('BadRequest', 'the request has trailers and no body', 'bad-request');
          return;
        }
        // trailers end the body (processing_mode.proto, FULL_DUPLEX_STREAMED)
        this.readMetadata(message, bytes);
        this.reply.hasTrailers = true;
        this.decide(this.body.view());
        return;
      case Stage.Passing:
        this.reply.trailers();
        this.sent();
        return;
      case Stage.Sent:
        this.reply.trailers();
        return;
      default:
        this.outOfOrder('request_trailers');
    }
  }

  /**
   * The answer has begun without a decision (a reply of the proxy itself), or the stream is over. True when the director had not
   * decided yet.
   */
  stop(): boolean {
    const wasDeciding = this.stage === Stage.Deciding;
    this.stage = Stage.Over;
    if (wasDeciding) this.guarded(() => this.host.context.director.abandon(this.host.request));
    this.releaseBody();
    return wasDeciding;
  }

  private decide(body: Buffer | undefined): void {
    const { context, request } = this.host;
    request.body = body;
    this.requestBytes = body?.length ?? 0;
    if (body !== undefined) {
      scanBody(request.api, body, request.scan);
      request.scanned = request.scan;
      if (request.scan.error !== undefined) {
        this.refuse('BadRequest', request.scan.error, 'bad-request');
        return;
      }
    }
    this.stage = Stage.Deciding;
    let inCall = true;
    let answered = false;
    let decision: Decision | undefined;
    const resume = (late: Decision) => {
      if (answered) return;
      answered = true;
      if (inCall) decision = late;
      else this.onDecision(late, true);
    };
    try {
      const immediate = context.director.decide(request, resume);
      if (immediate !== undefined && !answered) {
        answered = true;
        decision = immediate;
      }
    } catch (error) {
      answered = true;
      context.onError(error);
      decision = rejection(request.api, 'Internal', 'the picker failed to decide', 'internal');
    }
    inCall = false;
    if (decision !== undefined) this.onDecision(decision, false);
    else if (body !== undefined && this.body.length === 0 && body.length > 0) {
      // the bytes lie in the connection's read buffer, which is used again
      this.body.append(body, 0, body.length);
      request.body = this.body.view();
    }
  }

  private onDecision(decision: Decision, late: boolean): void {
    if (this.stage !== Stage.Deciding) {
      // the client has gone and the director was told; a route that comes all the same still has to be given back
      if (decision.kind === 'route') this.host.onRouted(decision);
      return;
    }
    if (decision.kind === 'reject') this.reject(decision);
    else this.route(decision);
    if (late) this.host.stream.flush();
  }

  private route(decision: RouteDecision): void {
    const { request } = this.host;
    const body = request.body;
    this.decision = decision;
    this.host.onRouted(decision);
    const edits = body === undefined ? undefined : this.edits(decision, body);
    if (this.mode === BodyMode.Buffered && body !== undefined) this.reply.buffered(decision, body, edits);
    else {
      this.reply.headers(decision, body, edits);
      if (body !== undefined) this.reply.echo(this.mode, body, edits);
    }
    this.releaseBody();
    const piecesFollow = body === undefined && this.mode === BodyMode.Streamed && !this.reply.endOfStream;
    if (piecesFollow) this.stage = Stage.Passing;
    else this.sent();
  }

  /** What the engine must see otherwise; undefined for nothing. */
  private edits({ targetModel, wantsUsage, maxTokens }: RouteDecision, body: Buffer): readonly BodyEdit[] | undefined {
    const { request } = this.host;
    if (request.api === 'passthrough') return undefined;
    const model = targetModel === undefined ? undefined : modelEdit(body, request.scan, targetModel);
    const usage = wantsUsage === true ? usageEdit(request.api, body, request.scan) : undefined;
    request.usageAdded = usage !== undefined;
    if (maxTokens !== undefined) {
      const edits = outputEdits(request.api, body, request.scan, maxTokens);
      if (model !== undefined) edits.push(model);
      if (usage !== undefined) edits.push(usage);
      return edits.sort((a, b) => a.start - b.start);
    }
    if (model === undefined) return usage === undefined ? undefined : [usage];
    if (usage === undefined) return [model];
    return model.start <= usage.start ? [model, usage] : [usage, model];
  }

  private passPiece(message: ProcessingRequest): void {
    this.requestBytes += message.end - message.start;
    this.reply.continueBody();
    if (message.endOfStream) this.sent();
  }

  private sent(): void {
    this.stage = Stage.Sent;
    this.host.onRequestSent(this.decision!);
  }

  private reject(decision: RejectDecision): void {
    this.stage = Stage.Over;
    const { writer } = this.host.context;
    writeImmediateReply(writer, decision.status, rejectionHeaders(decision), decision.body, decision.reason);
    this.host.stream.send(writer.bytes, writer.at, writer.length);
    this.releaseBody();
    this.host.end(0);
  }

  private refuseTooLarge(): void {
    const detail = `the request body is larger than ${this.host.context.maxBodyBytes} bytes`;
    this.refuse('PayloadTooLarge', detail, 'payload-too-large');
  }

  /** Without asking the director. */
  private refuse(code: ErrorCode, detail: string, reason: string): void {
    const { context, request } = this.host;
    const decision = rejection(request.api, code, detail, reason);
    this.reject(decision);
    this.guarded(() => context.onRefused?.(request, decision));
  }

  private readMetadata(message: ProcessingRequest, bytes: Buffer): void {
    const { context, request } = this.host;
    const { metadataStart: start, metadataEnd: end } = message;
    if (end === start) return;
    request.subset ??= subsetHint(bytes, start, end);
    // the bytes lie in the connection's read buffer, which is used again
    if (context.keepsMetadata()) request.metadataBytes = Buffer.from(bytes.subarray(start, end));
  }

  /** Bodies are not kept while the engine answers: answers take minutes. */
  private releaseBody(): void {
    this.host.request.body = undefined;
    this.body.release();
  }

  private outOfOrder(what: string): void {
    if (this.stage === Stage.Over) return;
    this.host.end(FAILED_PRECONDITION, `${what} is out of order`);
  }

  private guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.host.context.onError(error);
    }
  }
}
