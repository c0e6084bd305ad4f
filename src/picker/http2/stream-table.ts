import type { BufferBudget } from './buffer-budget';
import { CLOSED_BY_END, CLOSED_BY_OWN_RESET, CLOSED_BY_PEER_RESET, ClosedStreams } from './closed-streams';
import type { Http2Counters } from './counters';
import { NO_ERROR } from './error-codes';
import type { FloodGuard } from './flood-guard';
import { MAX_WINDOW_BYTES, RST_STREAM, WINDOW_UPDATE } from './frame-types';
import type { FrameWriter } from './frame-writer';
import type { Http2Limits } from './limits';
import type { Sender } from './sender';
import type { Stream, StreamOwner } from './stream';

/** What the parts of one connection share. */
export interface ConnectionContext {
  readonly limits: Http2Limits;
  readonly counters: Http2Counters;
  readonly budget: BufferBudget;
  readonly writer: FrameWriter;
  readonly sender: Sender;
  readonly guard: FloodGuard;
  scheduleFlush(): void;
  /** A fault that is not the peer's. */
  serviceError(error: unknown): void;
}

/** The streams of one connection and how they end (RFC 9113 section 5.1). */
export class StreamTable implements StreamOwner {
  readonly open = new Map<number, Stream>();
  readonly closed = new ClosedStreams();
  /** Highest stream that the client has opened. */
  lastStreamId = 0;
  /** Highest stream that is still served; lowered by the final GOAWAY of a shutdown. */
  acceptUpTo = MAX_WINDOW_BYTES;
  readonly limits: Http2Limits;
  readonly sender: Sender;
  readonly budget: BufferBudget;
  /** Streams whose trailers are in the output and whose service has not been told. */
  private finished: Stream[] = [];
  private lingering = 0;

  constructor(private readonly context: ConnectionContext) {
    this.limits = context.limits;
    this.sender = context.sender;
    this.budget = context.budget;
  }

  /** No stream is open and no service waits for `onClose`. */
  get empty(): boolean {
    return this.open.size === 0 && this.finished.length === 0;
  }

  add(stream: Stream): void {
    this.open.set(stream.id, stream);
    this.context.counters.streamsOpen++;
    this.context.counters.streamsTotal++;
  }

  /** END_STREAM has arrived. */
  remoteEnd(stream: Stream): void {
    if (stream.localClosed) this.remove(stream, CLOSED_BY_END);
    stream.halfClose();
  }

  localEnd(stream: Stream): void {
    if (stream.remoteClosed) this.remove(stream, CLOSED_BY_END);
    else this.lingering++;
    this.finished.push(stream);
  }

  /** RST_STREAM has arrived. A proxy ends every stream this way, most of them behind a complete dialogue. */
  remoteReset(stream: Stream): void {
    this.context.counters.streamsResetByClient++;
    const fruitless = stream.messages === 0 && !stream.localClosed;
    this.remove(stream, CLOSED_BY_PEER_RESET);
    stream.close(!stream.localClosed);
    if (fruitless) this.context.guard.fruitlessReset();
  }

  /**
   * Ends a stream with RST_STREAM (RFC 9113 section 5.4.2). What the peer has under way for it is ignored. A fault of the peer counts
   * as a reset by the peer: it costs the server as much.
   */
  reset(stream: Stream, code: number): void {
    this.remove(stream, CLOSED_BY_OWN_RESET);
    stream.close(!stream.localClosed);
    this.sendReset(stream.id, code);
    if (code !== NO_ERROR && stream.messages === 0) this.context.guard.fruitlessReset();
  }

  /** Answers a stream that was never opened, or is closed, with RST_STREAM. */
  refuse(streamId: number, code: number): void {
    this.closed.add(streamId, CLOSED_BY_OWN_RESET);
    this.sendReset(streamId, code);
    this.context.guard.fruitlessReset();
  }

  /** Tells the services of streams whose trailers have been flushed. Returns whether there were any. */
  deliverCloses(): boolean {
    if (this.finished.length === 0) return false;
    const finished = this.finished;
    this.finished = [];
    for (const stream of finished) stream.close(false);
    return true;
  }

  /** The connection is lost. */
  closeAll(): void {
    for (const stream of this.open.values()) {
      this.remove(stream, CLOSED_BY_OWN_RESET);
      stream.close(!stream.localClosed);
    }
    while (this.deliverCloses());
  }

  /**
   * A client that was answered before it had finished usually ends or resets the stream itself on seeing the trailers; only one that
   * does not is asked to, by RST_STREAM(NO_ERROR) (RFC 9113 section 8.1).
   */
  sweepLingering(nowMs: number): void {
    if (this.lingering === 0) return;
    for (const stream of this.open.values()) {
      if (!stream.localClosed) continue;
      if (stream.lingeringSinceMs < 0) stream.lingeringSinceMs = nowMs;
      else if (nowMs - stream.lingeringSinceMs >= this.limits.lingerMs) this.reset(stream, NO_ERROR);
    }
  }

  replenish(stream: Stream): void {
    if (stream.remoteClosed || stream.closed || stream.pendingBytes > this.limits.streamSendHighWaterBytes) return;
    const increment = stream.receiveWindow.refill();
    if (increment > 0) this.context.writer.number(WINDOW_UPDATE, stream.id, increment);
  }

  messageReceived(): void {
    this.context.counters.messagesReceived++;
    this.context.guard.messageReceived();
  }

  messageSent(): void {
    this.context.counters.messagesSent++;
  }

  scheduleFlush(): void {
    this.context.scheduleFlush();
  }

  serviceError(error: unknown): void {
    this.context.serviceError(error);
  }

  private sendReset(streamId: number, code: number): void {
    this.context.counters.streamsResetByServer++;
    this.context.writer.number(RST_STREAM, streamId, code);
  }

  private remove(stream: Stream, how: number): void {
    if (!this.open.delete(stream.id)) return;
    this.closed.add(stream.id, how);
    this.context.counters.streamsOpen--;
    if (stream.localClosed && !stream.remoteClosed) this.lingering--;
  }
}
