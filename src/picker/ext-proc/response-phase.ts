import type { GrpcStream } from '../http2/grpc';
import type { RouteDecision } from './director';
import { BodyMode, type ProcessingRequest } from './processing-request';
import {
  type DynamicMetadata,
  emptyReply,
  type HeaderChanges,
  MAX_PIECE_BYTES,
  Reply,
  writeChangesReply,
  writeMetadata,
  writePiece,
} from './processing-response';
import type { RequestState } from './request-state';
import type { ServiceContext } from './service-context';
import { WireWriter } from './wire-writer';

export interface ResponsePhaseHost {
  readonly stream: GrpcStream;
  readonly context: ServiceContext;
  readonly request: RequestState;
  /** The first byte of the answer's body has come. */
  onFirstByte(): void;
  /** A further chunk of a stream of events has come. */
  onChunk(gapMs: number): void;
  /** The answer is complete; returns what goes out with its last message. */
  onAnswered(): DynamicMetadata | undefined;
}

// The marker tells clients and tests of llm-d that a picker saw the answer.
const SEEN: HeaderChanges = { set: ['x-went-into-resp-headers', 'true'], remove: [] };
/** The length changes with the model's name, and is not known before the body has passed. */
const SEEN_WITHOUT_LENGTH: HeaderChanges = { set: SEEN.set, remove: ['content-length'] };
const HEADERS_REPLY = constantReply(SEEN);
const HEADERS_REPLY_WITHOUT_LENGTH = constantReply(SEEN_WITHOUT_LENGTH);
const CONTINUE_HEADERS = emptyReply(Reply.ResponseHeaders);
const CONTINUE_BODY = emptyReply(Reply.ResponseBody);
const CONTINUE_TRAILERS = emptyReply(Reply.ResponseTrailers);
const NOTHING = Buffer.alloc(0);

/** Headers, body and trailers of one answer: passed on at once, counted and masked on the way. */
export class ResponsePhase {
  status = 0;
  bytes = 0;
  /** When the first byte of the body passed; -1 before. */
  firstByteAtMs = -1;
  /** What its messages took to handle, but for the last words to the proxy. */
  handlingMs = 0;
  private lastByteAtMs = -1;
  private isEvents = false;
  /** A headers message has been seen. */
  started = false;
  private mode = BodyMode.FullDuplexStreamed;
  private scanning = false;
  private masking = false;
  private stripping = false;
  /** A stream of events, which are counted on the way. */
  isStream = false;

  constructor(private readonly host: ResponsePhaseHost) {}

  configure(mode: BodyMode): void {
    this.mode = mode;
  }

  /**
   * @param routed the decision that the answer belongs to; undefined for an answer of the proxy itself
   * @throws WireError
   */
  onHeaders(message: ProcessingRequest, bytes: Buffer, routed: RouteDecision | undefined): void {
    const { context } = this.host;
    const { answerHeaders } = context;
    const beganMs = context.nowMs();
    this.started = true;
    answerHeaders.read(bytes, message.start, message.end);
    this.status = Math.max(0, answerHeaders.number(':status'));
    if (routed === undefined) {
      this.send(CONTINUE_HEADERS);
      return;
    }
    if (!message.endOfStream) this.beginScan(routed);
    const isLast = message.endOfStream || this.mode === BodyMode.None;
    this.handlingMs += context.nowMs() - beganMs;
    const metadata = isLast ? this.host.onAnswered() : undefined;
    const dropsLength = (this.masking || this.stripping) && this.mode !== BodyMode.Buffered;
    const { answerHeaders: added } = routed;
    if (metadata === undefined && added === undefined) {
      this.send(dropsLength ? HEADERS_REPLY_WITHOUT_LENGTH : HEADERS_REPLY);
      return;
    }
    const { writer } = this.host.context;
    const seen = metadata === undefined && dropsLength ? SEEN_WITHOUT_LENGTH : SEEN;
    const changes = added === undefined ? seen : { set: [...seen.set, ...added], remove: seen.remove };
    writeChangesReply(writer, Reply.ResponseHeaders, changes, -1);
    if (metadata !== undefined) writeMetadata(writer, metadata);
    this.host.stream.send(writer.bytes, writer.at, writer.length);
  }

  onBody(message: ProcessingRequest, bytes: Buffer): void {
    const { context, request } = this.host;
    const length = message.end - message.start;
    const beganMs = context.nowMs();
    if (length > 0) {
      if (this.firstByteAtMs < 0) {
        this.firstByteAtMs = beganMs;
        this.host.onFirstByte();
      } else if (this.isEvents) this.host.onChunk(beganMs - this.lastByteAtMs);
      this.lastByteAtMs = beganMs;
      this.bytes += length;
    }
    const isLast = message.endOfStream;
    let body = bytes;
    let start = message.start;
    let end = message.end;
    if (this.scanning) {
      request.answer.push(bytes, start, end, isLast || this.mode === BodyMode.Buffered);
      if (request.answer.changed) {
        body = request.answer.output;
        start = 0;
        end = request.answer.outputLength;
      }
    }
    let changed = this.scanning && request.answer.changed;
    if (this.stripping) {
      request.stripper.push(body, start, end, isLast || this.mode === BodyMode.Buffered);
      if (request.stripper.changed) {
        changed = true;
        body = request.stripper.output;
        start = 0;
        end = request.stripper.outputLength;
      }
    }
    if (isLast) this.handlingMs += context.nowMs() - beganMs;
    const metadata = isLast ? this.host.onAnswered() : undefined;
    if (this.mode === BodyMode.FullDuplexStreamed) this.echo(body, start, end, isLast, metadata);
    else this.answer(body, start, end, changed, metadata);
    if (!isLast) this.handlingMs += context.nowMs() - beganMs;
  }

  onTrailers(): void {
    this.flushHeld();
    const metadata = this.host.onAnswered();
    if (metadata === undefined) this.send(CONTINUE_TRAILERS);
    else {
      const { writer } = this.host.context;
      writer.reset();
      writer.close(Reply.ResponseTrailers, 0);
      this.sendWritten(metadata);
    }
  }

  /** What was held back for an end that has not come. STREAMED has no message left for it; the answer was cut off anyway. */
  private flushHeld(): void {
    const { answer, stripper } = this.host.request;
    if (!this.scanning) return;
    answer.finish();
    let output = answer.output;
    let length = answer.outputLength;
    if (this.stripping) {
      stripper.push(output, 0, length, true);
      if (stripper.changed) {
        output = stripper.output;
        length = stripper.outputLength;
      }
    }
    if (length > 0 && this.mode === BodyMode.FullDuplexStreamed) this.echo(output, 0, length, false, undefined);
  }

  private beginScan(routed: RouteDecision): void {
    const { context, request } = this.host;
    const { answerHeaders } = context;
    const encoding = answerHeaders.get('content-encoding');
    if (encoding !== undefined && encoding !== 'identity') return;
    const type = answerHeaders.get('content-type') ?? '';
    const isEvents = type.includes('text/event-stream');
    this.isEvents = isEvents;
    if (!isEvents && !type.includes('json')) return;
    const asked = request.scanned?.model;
    const hidden = routed.targetModel;
    this.masking = hidden !== undefined && asked !== undefined && hidden !== asked;
    this.scanning = routed.observeResponse || this.masking;
    if (!this.scanning) return;
    this.isStream = isEvents;
    const mask = this.masking ? { hidden: hidden!, shown: asked! } : undefined;
    request.answer.begin(isEvents ? 'events' : 'json', mask);
    this.stripping = isEvents && request.usageAdded;
    if (this.stripping) request.stripper.begin();
  }

  /** FULL_DUPLEX_STREAMED: what came, in as many pieces as needed; nothing when all of it is held back. */
  private echo(body: Buffer, from: number, end: number, isLast: boolean, metadata: DynamicMetadata | undefined): void {
    const { writer } = this.host.context;
    if (from === end && !isLast) return;
    let start = from;
    do {
      const length = Math.min(MAX_PIECE_BYTES, end - start);
      const isEnd = isLast && start + length === end;
      writePiece(writer, Reply.ResponseBody, length, isEnd);
      if (isEnd && metadata !== undefined) writeMetadata(writer, metadata);
      this.sendWith(body, start, length);
      start += length;
    } while (start < end);
  }

  /** STREAMED and BUFFERED: exactly one answer, with the body only where it changed. */
  private answer(body: Buffer, start: number, end: number, changed: boolean, metadata: DynamicMetadata | undefined): void {
    const { writer } = this.host.context;
    if (!changed && metadata === undefined) {
      this.send(CONTINUE_BODY);
      return;
    }
    const length = end - start;
    const changes: HeaderChanges =
      changed && this.mode === BodyMode.Buffered
        ? { set: ['content-length', String(length)], remove: [] }
        : { set: [], remove: [] };
    writeChangesReply(writer, Reply.ResponseBody, changes, changed ? length : -1);
    if (metadata !== undefined) writeMetadata(writer, metadata);
    if (changed) this.sendWith(body, start, length);
    else this.host.stream.send(writer.bytes, writer.at, writer.length);
  }

  private sendWritten(metadata: DynamicMetadata): void {
    const { writer } = this.host.context;
    writeMetadata(writer, metadata);
    this.host.stream.send(writer.bytes, writer.at, writer.length);
  }

  private sendWith(body: Buffer, start: number, length: number): void {
    const { writer } = this.host.context;
    this.host.stream.sendParts(writer.bytes.subarray(writer.at), writer.length, body, start, length, NOTHING, 0);
  }

  private send(reply: Buffer): void {
    this.host.stream.send(reply, 0, reply.length);
  }
}

function constantReply(changes: HeaderChanges): Buffer {
  const writer = new WireWriter();
  writeChangesReply(writer, Reply.ResponseHeaders, changes, -1);
  return Buffer.from(writer.bytes.subarray(writer.at));
}
