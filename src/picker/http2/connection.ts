import { BufferBudget } from './buffer-budget';
import { ControlFrames } from './control-frames';
import type { Http2Counters } from './counters';
import { ConnectionError, INTERNAL_ERROR, NO_ERROR, PROTOCOL_ERROR, SETTINGS_TIMEOUT } from './error-codes';
import { FloodGuard } from './flood-guard';
import { type FrameHandler, FrameReader } from './frame-reader';
import {
  CLIENT_PREFACE,
  CONTINUATION,
  DATA,
  FLAG_ACK,
  GOAWAY,
  HEADERS,
  MAX_WINDOW_BYTES,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame-types';
import { type ByteSink, FrameWriter } from './frame-writer';
import type { GrpcMethod } from './grpc';
import type { Http2Limits } from './limits';
import { RequestFrames } from './request-frames';
import { Sender } from './sender';
import { PeerSettings, serverPreface } from './settings';
import { type ConnectionContext, StreamTable } from './stream-table';

/** What a connection needs of its socket. */
export interface ConnectionSocket extends ByteSink {
  pause(): unknown;
  resume(): unknown;
  /** Closes the sending side behind what was written. */
  end(): unknown;
  destroy(): unknown;
}

/** What the connections of a server share. */
export interface ConnectionShared {
  readonly limits: Http2Limits;
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly counters: Http2Counters;
  readonly budget: BufferBudget;
  /** A connection that ended with an error, or an exception of a service. */
  onError(error: unknown): void;
}

/** How long a peer may take to close its side behind a GOAWAY. */
const CLOSE_GRACE_MS = 1000;
/** Payload of the PING that measures when the first GOAWAY of a shutdown has been seen. */
const SHUTDOWN_PING = Buffer.from('shutdown', 'latin1');

enum State {
  open,
  /** GOAWAY with the highest stream number sent: streams still come in until the peer has seen it (RFC 9113 section 6.8). */
  goingAway,
  /** The final GOAWAY is sent: no new streams. */
  draining,
  /** Nothing is read any more. */
  closing,
}

/**
 * One HTTP/2 connection (RFC 9113). A read is parsed to its end, and all replies to it leave in one write. Nothing that a peer sends makes it throw.
 */
export class Connection implements FrameHandler {
  readonly streams: StreamTable;
  private readonly reader = new FrameReader(this);
  private readonly writer: FrameWriter;
  private readonly sender: Sender;
  private readonly guard: FloodGuard;
  private readonly requests: RequestFrames;
  private readonly control: ControlFrames;
  private state = State.open;
  private prefaceBytes = 0;
  private settingsReceived = false;
  private reading = false;
  private flushScheduled = false;
  private paused = false;

  // What the sweep looks at; times are those of the sweep that first saw the condition, -1 without it.
  private lastSweepMs = -1;
  private active = false;
  private lateWritesSeen = 0;
  private prefaceSinceMs = -1;
  private blockSinceMs = -1;
  private idleSinceMs = -1;
  private stalledSinceMs = -1;
  private goingAwaySinceMs = -1;
  private closingSinceMs = -1;

  constructor(
    private readonly socket: ConnectionSocket,
    private readonly shared: ConnectionShared,
  ) {
    const { limits } = shared;
    this.writer = new FrameWriter(socket, limits.socketHighWaterBytes, () => this.drained());
    this.guard = new FloodGuard(limits);
    this.sender = new Sender(this.writer, this.guard);
    const context: ConnectionContext = {
      limits,
      counters: shared.counters,
      budget: new BufferBudget(limits.maxConnectionBufferedBytes, shared.budget),
      writer: this.writer,
      sender: this.sender,
      guard: this.guard,
      scheduleFlush: () => this.scheduleFlush(),
      serviceError: (error) => shared.onError(error),
    };
    const settings = new PeerSettings();
    this.streams = new StreamTable(context);
    this.requests = new RequestFrames(context, this.streams, shared.methods, settings);
    this.control = new ControlFrames(context, this.streams, settings);
    this.writer.raw(serverPreface(limits));
    this.writer.flush();
  }

  /** What one read of the socket has brought. */
  receive(chunk: Buffer): void {
    if (this.state === State.closing) return;
    this.active = true;
    this.reading = true;
    try {
      const offset = this.prefaceBytes < CLIENT_PREFACE.length ? this.preface(chunk) : 0;
      this.reader.read(chunk, offset);
    } catch (error) {
      this.fault(error);
    }
    this.reading = false;
    this.settle();
  }

  /** Called by the frame reader. */
  frame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    if (this.requests.openBlock !== 0 && type !== CONTINUATION)
      throw new ConnectionError(PROTOCOL_ERROR, 'frame inside a header block');
    if (!this.settingsReceived && type !== SETTINGS) throw new ConnectionError(PROTOCOL_ERROR, 'first frame is not SETTINGS');
    switch (type) {
      case DATA:
        this.requests.data(flags, streamId, buffer, start, end);
        break;
      case HEADERS:
        this.requests.headers(flags, streamId, buffer, start, end);
        break;
      case RST_STREAM:
        this.control.reset(streamId, start, end);
        break;
      case WINDOW_UPDATE:
        this.control.windowUpdate(streamId, buffer, start, end);
        break;
      case CONTINUATION:
        this.requests.continuation(flags, streamId, buffer, start, end);
        break;
      case SETTINGS:
        this.settingsReceived = true;
        this.control.change(flags, streamId, buffer, start, end);
        break;
      case PING:
        this.control.ping(flags, streamId, buffer, start, end);
        if ((flags & FLAG_ACK) !== 0 && this.state === State.goingAway && buffer.compare(SHUTDOWN_PING, 0, 8, start, end) === 0)
          this.lastGoAway();
        break;
      case PRIORITY:
        this.control.priority(streamId, buffer, start, end);
        break;
      case GOAWAY:
        this.control.goAway(streamId, start, end);
        break;
      case PUSH_PROMISE:
        throw new ConnectionError(PROTOCOL_ERROR, 'PUSH_PROMISE from a client');
      default:
        this.control.unknown();
        break;
    }
  }

  /** Lets open streams finish, takes no new ones, and closes then. */
  shutdown(): void {
    if (this.state !== State.open) return;
    this.state = State.goingAway;
    this.goAway(MAX_WINDOW_BYTES, NO_ERROR, '');
    this.writer.frame(PING, 0, 0, SHUTDOWN_PING, 0, SHUTDOWN_PING.length);
    this.settle();
  }

  /** The socket is gone. */
  closed(): void {
    this.state = State.closing;
    this.writer.release();
    this.streams.closeAll();
  }

  /** Looks for what takes too long. Called about once a second with a monotonic clock. */
  sweep(nowMs: number): void {
    const { limits } = this.shared;
    if (this.lastSweepMs >= 0) this.guard.forgive(nowMs - this.lastSweepMs);
    this.lastSweepMs = nowMs;
    const progress = this.writer.lateWrites !== this.lateWritesSeen;
    this.lateWritesSeen = this.writer.lateWrites;
    if (this.state === State.closing) {
      this.closingSinceMs = since(!progress, this.closingSinceMs, nowMs);
      if (elapsed(this.closingSinceMs, nowMs, CLOSE_GRACE_MS)) this.socket.destroy();
      return;
    }
    const stalled = this.writer.waiting && !progress;
    this.stalledSinceMs = since(stalled, this.stalledSinceMs, nowMs);
    this.prefaceSinceMs = since(!this.settingsReceived, this.prefaceSinceMs, nowMs);
    this.blockSinceMs = since(this.requests.openBlock !== 0, this.blockSinceMs, nowMs);
    this.idleSinceMs = since(this.state === State.open && this.streams.empty && !this.active, this.idleSinceMs, nowMs);
    this.goingAwaySinceMs = since(this.state === State.goingAway, this.goingAwaySinceMs, nowMs);
    this.active = false;

    if (elapsed(this.stalledSinceMs, nowMs, limits.writeStallTimeoutMs)) this.socket.destroy();
    else if (elapsed(this.prefaceSinceMs, nowMs, limits.prefaceTimeoutMs))
      this.fail(SETTINGS_TIMEOUT, 'no client preface in time');
    else if (elapsed(this.blockSinceMs, nowMs, limits.prefaceTimeoutMs))
      this.fail(PROTOCOL_ERROR, 'header block not completed in time');
    else if (elapsed(this.idleSinceMs, nowMs, limits.idleTimeoutMs)) this.shutdown();
    else if (elapsed(this.goingAwaySinceMs, nowMs, CLOSE_GRACE_MS)) this.lastGoAway();
    this.streams.sweepLingering(nowMs);
    this.settle();
  }

  /** Checks as much of the client's preface as is there (RFC 9113 section 3.4); returns the offset behind it. */
  private preface(chunk: Buffer): number {
    const bytes = Math.min(chunk.length, CLIENT_PREFACE.length - this.prefaceBytes);
    if (chunk.compare(CLIENT_PREFACE, this.prefaceBytes, this.prefaceBytes + bytes, 0, bytes) !== 0) {
      throw new ConnectionError(PROTOCOL_ERROR, 'not an HTTP/2 client preface');
    }
    this.prefaceBytes += bytes;
    return bytes;
  }

  /** Pushes out what a read, or a service of its own accord, has caused. */
  private settle(): void {
    do {
      this.sender.pump();
      this.writer.flush();
    } while (this.streams.deliverCloses());
    if (this.state === State.draining && this.streams.empty) this.close();
    else if (this.writer.full && !this.paused) {
      this.paused = true;
      this.socket.pause();
    }
  }

  private scheduleFlush(): void {
    if (this.reading || this.flushScheduled) return;
    this.flushScheduled = true;
    queueMicrotask(this.scheduledFlush);
  }

  private readonly scheduledFlush = (): void => {
    this.flushScheduled = false;
    if (this.state !== State.closing) this.settle();
  };

  /** The kernel has taken everything: reading and sending go on. */
  private drained(): void {
    if (this.state === State.closing) return;
    this.settle();
    if (!this.paused || this.writer.full) return;
    this.paused = false;
    this.socket.resume();
  }

  private lastGoAway(): void {
    this.state = State.draining;
    this.streams.acceptUpTo = this.streams.lastStreamId;
    this.goAway(this.streams.lastStreamId, NO_ERROR, '');
  }

  private fault(error: unknown): void {
    if (error instanceof ConnectionError) this.fail(error.code, error.message);
    else this.fail(INTERNAL_ERROR, 'internal error');
    this.shared.onError(error);
  }

  /** Ends the connection because of an error (RFC 9113 section 5.4.1). */
  private fail(code: number, message: string): void {
    if (this.state === State.closing) return;
    this.shared.counters.connectionErrors++;
    this.goAway(this.streams.lastStreamId, code, message);
    this.close();
    this.streams.closeAll();
  }

  private close(): void {
    this.state = State.closing;
    this.writer.flushLast();
    this.writer.release();
    this.socket.end();
    // What the peer still sends is read and dropped: a reset because of unread bytes could overtake the GOAWAY.
    if (this.paused) this.socket.resume();
  }

  private goAway(lastStreamId: number, code: number, message: string): void {
    const payload = Buffer.alloc(8 + message.length);
    payload.writeUInt32BE(lastStreamId, 0);
    payload.writeUInt32BE(code, 4);
    payload.write(message, 8, 'latin1');
    this.writer.frame(GOAWAY, 0, 0, payload, 0, payload.length);
  }
}

function since(condition: boolean, sinceMs: number, nowMs: number): number {
  if (!condition) return -1;
  return sinceMs < 0 ? nowMs : sinceMs;
}

function elapsed(sinceMs: number, nowMs: number, limitMs: number): boolean {
  return sinceMs >= 0 && nowMs - sinceMs >= limitMs;
}
