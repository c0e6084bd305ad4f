import { CLOSED_BY_OWN_RESET, CLOSED_UNKNOWN, NEVER_OPENED } from './closed-streams';
import {
  ConnectionError,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
} from './error-codes';
import {
  DEFAULT_WINDOW_BYTES,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  WINDOW_UPDATE,
} from './frame-types';
import type { GrpcMethod } from './grpc';
import { RESOURCE_EXHAUSTED, UNIMPLEMENTED } from './grpc-status';
import { HeaderBlock } from './header-block';
import { ReceiveWindow } from './receive-window';
import { type RequestHead, RequestHeadReader } from './request-head';
import type { PeerSettings } from './settings';
import { Stream } from './stream';
import type { ConnectionContext, StreamTable } from './stream-table';

/** Priority fields of a HEADERS frame (RFC 9113 section 6.2); they are skipped. */
const PRIORITY_BYTES = 5;
const METHOD_NOT_ALLOWED = 405;
const UNSUPPORTED_MEDIA_TYPE = 415;

/** HEADERS, CONTINUATION and DATA: what makes, feeds and half-closes streams (RFC 9113 sections 6.1, 6.2, 6.10 and 8.1). */
export class RequestFrames {
  private readonly headReader: RequestHeadReader;
  private readonly block: HeaderBlock;
  private readonly window: ReceiveWindow;

  constructor(
    private readonly context: ConnectionContext,
    private readonly streams: StreamTable,
    private readonly methods: ReadonlyMap<string, GrpcMethod>,
    private readonly settings: PeerSettings,
  ) {
    this.headReader = new RequestHeadReader(context.limits.maxHeaderListBytes);
    this.block = new HeaderBlock(context.limits);
    this.window = new ReceiveWindow(Math.max(DEFAULT_WINDOW_BYTES, context.limits.connectionWindowBytes));
  }

  /** The stream whose header block is incomplete, or 0; until it is complete nothing but its CONTINUATION may come. */
  get openBlock(): number {
    return this.block.streamId;
  }

  headers(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    if ((streamId & 1) === 0) throw new ConnectionError(PROTOCOL_ERROR, `HEADERS on stream ${streamId}`);
    if ((flags & FLAG_PADDED) !== 0) {
      end = withoutPadding(buffer, start, end);
      start++;
    }
    if ((flags & FLAG_PRIORITY) !== 0) {
      if (end - start < PRIORITY_BYTES) throw new ConnectionError(FRAME_SIZE_ERROR, 'HEADERS too short for its priority');
      if ((buffer.readUInt32BE(start) & 0x7fff_ffff) === streamId) {
        throw new ConnectionError(PROTOCOL_ERROR, 'stream that depends on itself');
      }
      start += PRIORITY_BYTES;
    }
    const endStream = (flags & FLAG_END_STREAM) !== 0;
    if ((flags & FLAG_END_HEADERS) !== 0) this.complete(streamId, endStream, buffer, start, end);
    else this.block.begin(streamId, endStream, buffer, start, end);
  }

  continuation(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    const block = this.block;
    if (streamId === 0 || streamId !== block.streamId) throw new ConnectionError(PROTOCOL_ERROR, 'CONTINUATION without HEADERS');
    block.add(buffer, start, end);
    if ((flags & FLAG_END_HEADERS) === 0) return;
    const joined = block.buffer;
    block.finish();
    this.complete(streamId, block.endStream, joined, 0, block.bytes);
  }

  data(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, 'DATA on stream 0');
    // Padding counts, and so does what is dropped (RFC 9113 sections 5.2 and 6.9.1).
    const frameBytes = end - start;
    if (!this.window.take(frameBytes)) throw new ConnectionError(FLOW_CONTROL_ERROR, 'window of the connection exceeded');
    const increment = this.window.refill();
    if (increment > 0) this.context.writer.number(WINDOW_UPDATE, 0, increment);
    if ((flags & FLAG_PADDED) !== 0) {
      end = withoutPadding(buffer, start, end);
      start++;
    }
    const endStream = (flags & FLAG_END_STREAM) !== 0;
    if (start === end && !endStream) this.context.guard.controlFrame(1);

    const stream = this.streams.open.get(streamId);
    if (stream === undefined) this.dataWithoutStream(streamId);
    else if (stream.remoteClosed) this.streams.reset(stream, STREAM_CLOSED);
    else if (!stream.receiveWindow.take(frameBytes)) this.streams.reset(stream, FLOW_CONTROL_ERROR);
    else if (!contentFits(stream, end - start, endStream)) this.streams.reset(stream, PROTOCOL_ERROR);
    else this.streamData(stream, buffer, start, end, endStream);
  }

  private streamData(stream: Stream, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (stream.closed) {
      stream.droppedBytes += end - start;
      if (stream.localClosed && !endStream && stream.droppedBytes > this.context.limits.lingerBytes) {
        this.streams.reset(stream, NO_ERROR);
        return;
      }
    } else if (end > start) {
      stream.data(buffer, start, end);
      if (!endStream) this.streams.replenish(stream);
    }
    if (endStream) this.streams.remoteEnd(stream);
  }

  private dataWithoutStream(streamId: number): void {
    if (streamId > this.streams.lastStreamId || (streamId & 1) === 0)
      throw new ConnectionError(PROTOCOL_ERROR, 'DATA on an idle stream');
    const how = this.streams.closed.find(streamId);
    if (how === NEVER_OPENED) throw new ConnectionError(STREAM_CLOSED, 'DATA on a stream that was never opened');
    if (how !== CLOSED_BY_OWN_RESET) this.streams.refuse(streamId, STREAM_CLOSED);
  }

  /** A whole header block: a request, or trailers. It is decoded whatever becomes of it, because the decoder's table has to follow. */
  private complete(streamId: number, endStream: boolean, buffer: Buffer, start: number, end: number): void {
    const head = this.headReader.read(buffer, start, end);
    const stream = this.streams.open.get(streamId);
    if (stream !== undefined) this.trailers(stream, head, endStream);
    else if (streamId > this.streams.lastStreamId) this.request(streamId, head, endStream);
    else this.headersOnClosed(streamId);
  }

  private trailers(stream: Stream, head: RequestHead, endStream: boolean): void {
    if (stream.remoteClosed) this.streams.reset(stream, STREAM_CLOSED);
    // RFC 9113 section 8.1: the second header section ends the stream; a content-length is held against the whole.
    else if (!endStream || head.malformedTrailers !== '' || stream.contentLeft > 0) this.streams.reset(stream, PROTOCOL_ERROR);
    else this.streams.remoteEnd(stream);
  }

  private headersOnClosed(streamId: number): void {
    const how = this.streams.closed.find(streamId);
    if (how === CLOSED_BY_OWN_RESET) return;
    if (how === CLOSED_UNKNOWN) this.streams.refuse(streamId, STREAM_CLOSED);
    else if (how === NEVER_OPENED) throw new ConnectionError(PROTOCOL_ERROR, `stream ${streamId} opened behind a higher one`);
    else throw new ConnectionError(STREAM_CLOSED, 'HEADERS on a closed stream');
  }

  private request(streamId: number, head: RequestHead, endStream: boolean): void {
    const { streams, context } = this;
    streams.lastStreamId = streamId;
    if (streamId > streams.acceptUpTo || streams.open.size >= context.limits.maxConcurrentStreams) {
      streams.refuse(streamId, REFUSED_STREAM);
      return;
    }
    if (!head.tooLarge && (head.malformedRequest !== '' || (endStream && head.contentLength > 0))) {
      streams.refuse(streamId, PROTOCOL_ERROR);
      return;
    }
    const method = this.methods.get(head.path);
    if (head.tooLarge || method === undefined || head.method !== 'POST' || !head.contentType.startsWith('application/grpc')) {
      this.answer(this.addStream(streamId, undefined, endStream, head), head);
      return;
    }
    const stream = this.addStream(streamId, method, false, head);
    stream.open();
    if (endStream) streams.remoteEnd(stream);
  }

  /** Answers a request that no service takes. */
  private answer(stream: Stream, head: RequestHead): void {
    if (head.tooLarge) stream.fail(RESOURCE_EXHAUSTED, `header list above ${this.context.limits.maxHeaderListBytes} bytes`);
    else if (head.method !== 'POST') stream.refuse(METHOD_NOT_ALLOWED);
    else if (!head.contentType.startsWith('application/grpc')) stream.refuse(UNSUPPORTED_MEDIA_TYPE);
    else stream.fail(UNIMPLEMENTED, `unknown method ${head.path}`);
  }

  private addStream(streamId: number, method: GrpcMethod | undefined, remoteClosed: boolean, head: RequestHead): Stream {
    const stream = new Stream(this.streams, streamId, this.settings.initialWindowBytes, method);
    stream.remoteClosed = remoteClosed;
    stream.contentLeft = head.contentLength;
    this.streams.add(stream);
    return stream;
  }
}

/** Returns the end of the payload proper; the padding's length is its first byte (RFC 9113 section 6.1). */
function withoutPadding(buffer: Buffer, start: number, end: number): number {
  const paddingBytes = start < end ? buffer[start]! : 0;
  if (start >= end) throw new ConnectionError(FRAME_SIZE_ERROR, 'padded frame without a padding length');
  if (paddingBytes >= end - start) throw new ConnectionError(PROTOCOL_ERROR, 'padding longer than its frame');
  return end - paddingBytes;
}

/** Holds DATA against a content-length (RFC 9113 section 8.1.1). */
function contentFits(stream: Stream, bytes: number, endStream: boolean): boolean {
  if (stream.contentLeft < 0) return true;
  stream.contentLeft -= bytes;
  if (stream.contentLeft < 0) {
    stream.contentLeft = 0;
    return false;
  }
  return !endStream || stream.contentLeft === 0;
}
