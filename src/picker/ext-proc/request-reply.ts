import type { GrpcStream } from '../http2/grpc';
import { applyEdits, type BodyEdit, editedLength, editedPiece } from './body-edit';
import type { RouteDecision } from './director';
import { BodyMode } from './processing-request';
import {
  emptyReply,
  type HeaderChanges,
  MAX_PIECE_BYTES,
  Reply,
  writeChangesReply,
  writePiece,
  writeRouteReply,
} from './processing-response';
import type { RequestState } from './request-state';
import type { ServiceContext } from './service-context';

const CONTINUE_HEADERS = emptyReply(Reply.RequestHeaders);
const CONTINUE_BODY = emptyReply(Reply.RequestBody);
const CONTINUE_TRAILERS = emptyReply(Reply.RequestTrailers);
const NOTHING = Buffer.alloc(0);
const NO_CHANGES: HeaderChanges = { set: [], remove: [] };

/** Writes the replies of the request phase, as each body mode expects them. */
export class RequestReply {
  /** The last body message said that it ends the request. */
  endOfStream = false;
  hasTrailers = false;
  /** Lengths of the received pieces, where each must be answered (STREAMED). */
  private pieces: number[] | undefined;

  constructor(
    private readonly stream: GrpcStream,
    private readonly context: ServiceContext,
    private readonly request: RequestState,
  ) {}

  countPieces(): void {
    this.pieces = [];
  }

  addPiece(length: number): void {
    this.pieces?.push(length);
  }

  continueHeaders(): void {
    this.stream.send(CONTINUE_HEADERS, 0, CONTINUE_HEADERS.length);
  }

  continueBody(): void {
    this.stream.send(CONTINUE_BODY, 0, CONTINUE_BODY.length);
  }

  trailers(): void {
    this.stream.send(CONTINUE_TRAILERS, 0, CONTINUE_TRAILERS.length);
  }

  /** The decision, as the answer to the headers. */
  headers(decision: RouteDecision, body: Buffer | undefined, edits: readonly BodyEdit[] | undefined): void {
    const { writer } = this.context;
    const changes = this.changes(decision, body, edits);
    writeRouteReply(writer, { reply: Reply.RequestHeaders, destination: decision.destination, changes, bodyBytes: -1 });
    this.stream.send(writer.bytes, writer.at, writer.length);
  }

  /** The decision, as the answer to a BUFFERED body: Envoy still holds the headers. */
  buffered(decision: RouteDecision, body: Buffer, edits: readonly BodyEdit[] | undefined): void {
    const { writer, pool } = this.context;
    const changes = this.changes(decision, body, edits);
    const bodyBytes = edits === undefined ? -1 : editedLength(body, edits);
    writeRouteReply(writer, { reply: Reply.RequestBody, destination: decision.destination, changes, bodyBytes });
    if (edits === undefined) {
      this.stream.send(writer.bytes, writer.at, writer.length);
      return;
    }
    const changed = applyEdits(body, edits, pool);
    this.sendWith(changed, 0, bodyBytes);
    pool.give(changed);
  }

  /** The body behind the decision. */
  echo(mode: BodyMode, body: Buffer, edits: readonly BodyEdit[] | undefined): void {
    if (mode === BodyMode.Streamed) this.answerPieces(body, edits);
    else if (edits === undefined) this.echoWhole(body, body.length);
    else {
      const changed = applyEdits(body, edits, this.context.pool);
      this.echoWhole(changed, editedLength(body, edits));
      this.context.pool.give(changed);
    }
    if (this.hasTrailers) this.trailers();
  }

  /** FULL_DUPLEX_STREAMED: pieces of our choice; the last one ends the stream unless trailers do. */
  private echoWhole(body: Buffer, length: number): void {
    const { writer } = this.context;
    if (length === 0 && this.hasTrailers) return;
    let start = 0;
    do {
      const bytes = Math.min(MAX_PIECE_BYTES, length - start);
      const isLast = start + bytes === length;
      writePiece(writer, Reply.RequestBody, bytes, isLast && !this.hasTrailers);
      this.sendWith(body, start, bytes);
      start += bytes;
    } while (start < length);
  }

  /** STREAMED: one answer for each piece. */
  private answerPieces(body: Buffer, edits: readonly BodyEdit[] | undefined): void {
    const { writer } = this.context;
    let start = 0;
    for (const length of this.pieces ?? []) {
      const changed = edits === undefined ? undefined : editedPiece(body, edits, start, start + length);
      if (changed === undefined) this.continueBody();
      else {
        writeChangesReply(writer, Reply.RequestBody, NO_CHANGES, changed.length);
        this.sendWith(changed, 0, changed.length);
      }
      start += length;
    }
  }

  private changes(decision: RouteDecision, body: Buffer | undefined, edits: readonly BodyEdit[] | undefined): HeaderChanges {
    const request = this.request;
    const { removeHeaders } = decision;
    const control = request.headers.controlNames();
    const remove = removeHeaders === undefined ? control : [...control, ...removeHeaders];
    const given = decision.setHeaders ?? NO_CHANGES.set;
    if (edits === undefined && request.generatedRequestId === undefined) return { set: given, remove };
    const set = [...given];
    if (edits !== undefined && body !== undefined && request.headers.has('content-length')) {
      set.push('content-length', String(editedLength(body, edits)));
    }
    if (request.generatedRequestId !== undefined) set.push('x-request-id', request.generatedRequestId);
    return { set, remove };
  }

  private sendWith(body: Buffer, start: number, length: number): void {
    const { writer } = this.context;
    this.stream.sendParts(writer.bytes.subarray(writer.at), writer.length, body, start, length, NOTHING, 0);
  }
}
