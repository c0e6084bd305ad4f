import type { FloodGuard } from './flood-guard';
import { DATA, DEFAULT_MAX_FRAME_BYTES, DEFAULT_WINDOW_BYTES, FRAME_HEADER_BYTES, MAX_WINDOW_BYTES } from './frame-types';
import type { FrameWriter } from './frame-writer';
import { MAX_REPLY_BLOCK_BYTES, ReplyEncoder } from './hpack/encoder';
import type { ByteSource, MessageParts } from './message-parts';
import type { SendQueue } from './send-queue';

/** A stream as the sender sees it. */
export interface SendingStream {
  readonly id: number;
  /** What the peer lets the stream send; below zero after a smaller SETTINGS_INITIAL_WINDOW_SIZE. */
  sendWindowBytes: number;
  responseSent: boolean;
  /** Present while bytes wait. */
  queue: SendQueue | undefined;
  /** Bytes have left the queue; the queue is gone when it is empty. */
  queueMoved(): void;
}

/** Sends for all streams of a connection within the peer's windows (RFC 9113 sections 5.2 and 6.9). */
export class Sender {
  readonly encoder = new ReplyEncoder();
  /** The connection's send window. */
  windowBytes = DEFAULT_WINDOW_BYTES;
  /** Streams with bytes waiting and a window of their own: held up by the connection's window or the socket. In turns. */
  private readonly ready = new Set<SendingStream>();

  constructor(
    private readonly writer: FrameWriter,
    private readonly guard: FloodGuard,
  ) {}

  /** Sends what the windows and the socket allow of one message. Returns how many bytes of it that was; the rest is the caller's to queue. */
  message(stream: SendingStream, message: MessageParts): number {
    if (!stream.responseSent) this.response(stream);
    return this.data(stream, message, message.totalBytes);
  }

  /** The stream has put bytes in its queue, or its window has grown. */
  queued(stream: SendingStream): void {
    if (stream.queue !== undefined && stream.sendWindowBytes > 0) this.ready.add(stream);
  }

  forget(stream: SendingStream): void {
    this.ready.delete(stream);
  }

  /** Empties queues as far as possible, a frame a stream at a time. */
  pump(): void {
    if (this.ready.size === 0) return;
    // A stream that is added again while the loop runs is visited again, behind the others.
    for (const stream of this.ready) {
      if (this.windowBytes <= 0 || this.writer.full) return;
      this.ready.delete(stream);
      const queue = stream.queue;
      if (queue === undefined) continue;
      this.data(stream, queue, Math.min(queue.bytes, DEFAULT_MAX_FRAME_BYTES));
      stream.queueMoved();
      this.queued(stream);
    }
  }

  /** Trailers; Trailers-Only when nothing was sent before (gRPC over HTTP2, "Responses"). The queue is empty. */
  trailers(stream: SendingStream, status: number, message: string): void {
    const start = this.reserveBlock();
    const { encoder, writer } = this;
    const end = stream.responseSent
      ? encoder.trailers(writer.slab, start, status, message)
      : encoder.trailersOnly(writer.slab, start, status, message);
    writer.headersWritten(start, end, stream.id, true);
  }

  /** A whole response without a body, to a request that is not gRPC. */
  httpStatus(streamId: number, status: number): void {
    const start = this.reserveBlock();
    this.writer.headersWritten(start, this.encoder.httpStatus(this.writer.slab, start, status), streamId, true);
  }

  private response(stream: SendingStream): void {
    stream.responseSent = true;
    const start = this.reserveBlock();
    this.writer.headersWritten(start, this.encoder.response(this.writer.slab, start), stream.id, false);
  }

  private reserveBlock(): number {
    this.writer.reserve(FRAME_HEADER_BYTES + MAX_REPLY_BLOCK_BYTES);
    return this.writer.used + FRAME_HEADER_BYTES;
  }

  private data(stream: SendingStream, source: ByteSource, bytes: number): number {
    const writer = this.writer;
    let left = bytes;
    while (left > 0) {
      let frameBytes = left < DEFAULT_MAX_FRAME_BYTES ? left : DEFAULT_MAX_FRAME_BYTES;
      if (frameBytes > stream.sendWindowBytes) frameBytes = stream.sendWindowBytes;
      if (frameBytes > this.windowBytes) frameBytes = this.windowBytes;
      if (frameBytes <= 0 || writer.full) break;
      writer.reserve(FRAME_HEADER_BYTES + frameBytes);
      writer.header(DATA, 0, stream.id, frameBytes);
      source.take(writer.slab, writer.used, frameBytes);
      writer.used += frameBytes;
      stream.sendWindowBytes -= frameBytes;
      this.windowBytes -= frameBytes;
      left -= frameBytes;
      this.guard.dataSent();
    }
    return bytes - left;
  }
}

/**
 * A send window with an increment, or with a change of the initial window (which may be negative, RFC 9113 section 6.9.2). Returns
 * NaN above the largest window.
 */
export function widenedWindow(windowBytes: number, increment: number): number {
  const widened = windowBytes + increment;
  return widened > MAX_WINDOW_BYTES ? Number.NaN : widened;
}
