import { ConnectionError, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './error-codes';
import { FLAG_ACK, MAX_WINDOW_BYTES, PING, SETTINGS } from './frame-types';
import { widenedWindow } from './sender';
import type { PeerSettings } from './settings';
import type { Stream } from './stream';
import type { ConnectionContext, StreamTable } from './stream-table';

/** Streams that a change of the initial window may visit at the price of one control frame. */
const STREAMS_PER_CONTROL_FRAME = 8;

/** The frames that carry no request: RFC 9113 sections 6.3 to 6.9. All of them cost the peer some of its allowance. */
export class ControlFrames {
  constructor(
    private readonly context: ConnectionContext,
    private readonly streams: StreamTable,
    private readonly settings: PeerSettings,
  ) {}

  /** Section 6.3. Priorities are not used (RFC 9113 section 5.3.2), only checked. */
  priority(streamId: number, buffer: Buffer, start: number, end: number): void {
    this.context.guard.controlFrame(1);
    if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, 'PRIORITY on stream 0');
    if (end - start !== 5) throw new ConnectionError(FRAME_SIZE_ERROR, 'PRIORITY length');
    if ((buffer.readUInt32BE(start) & 0x7fff_ffff) === streamId)
      throw new ConnectionError(PROTOCOL_ERROR, 'stream that depends on itself');
  }

  /** Section 6.4. */
  reset(streamId: number, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, 'RST_STREAM length');
    const stream = this.find(streamId, 'RST_STREAM');
    if (stream !== undefined) this.streams.remoteReset(stream);
    else this.context.guard.controlFrame(1);
  }

  /** Section 6.5. */
  change(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'SETTINGS on a stream');
    if ((flags & FLAG_ACK) !== 0) {
      if (end !== start) throw new ConnectionError(FRAME_SIZE_ERROR, 'SETTINGS acknowledgement with a payload');
      this.context.guard.controlFrame(1);
      return;
    }
    const windowBefore = this.settings.initialWindowBytes;
    this.settings.apply(buffer, start, end);
    this.context.sender.encoder.peerTableSize(this.settings.headerTableBytes);
    const change = this.settings.initialWindowBytes - windowBefore;
    const visited = change === 0 ? 0 : this.streams.open.size;
    this.context.guard.controlFrame(1 + Math.ceil(visited / STREAMS_PER_CONTROL_FRAME));
    if (change !== 0) for (const stream of this.streams.open.values()) this.widen(stream, change);
    this.context.writer.frame(SETTINGS, FLAG_ACK, 0, buffer, start, start);
  }

  /** Section 6.7. */
  ping(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    this.context.guard.controlFrame(1);
    if (streamId !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'PING on a stream');
    if (end - start !== 8) throw new ConnectionError(FRAME_SIZE_ERROR, 'PING length');
    if ((flags & FLAG_ACK) === 0) this.context.writer.frame(PING, FLAG_ACK, 0, buffer, start, end);
  }

  /** Section 6.8. A client that goes away ends its streams and the connection itself. */
  goAway(streamId: number, start: number, end: number): void {
    this.context.guard.controlFrame(1);
    if (streamId !== 0) throw new ConnectionError(PROTOCOL_ERROR, 'GOAWAY on a stream');
    if (end - start < 8) throw new ConnectionError(FRAME_SIZE_ERROR, 'GOAWAY length');
  }

  /** Section 6.9. */
  windowUpdate(streamId: number, buffer: Buffer, start: number, end: number): void {
    this.context.guard.controlFrame(1);
    if (end - start !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, 'WINDOW_UPDATE length');
    const increment = buffer.readUInt32BE(start) & MAX_WINDOW_BYTES;
    if (streamId === 0) {
      const sender = this.context.sender;
      const window = widenedWindow(sender.windowBytes, increment);
      if (increment === 0) throw new ConnectionError(PROTOCOL_ERROR, 'WINDOW_UPDATE of 0');
      if (Number.isNaN(window)) throw new ConnectionError(FLOW_CONTROL_ERROR, 'window of the connection above its maximum');
      sender.windowBytes = window;
      return;
    }
    const stream = this.find(streamId, 'WINDOW_UPDATE');
    if (stream === undefined) return;
    const window = widenedWindow(stream.sendWindowBytes, increment);
    if (increment === 0) this.streams.reset(stream, PROTOCOL_ERROR);
    else if (Number.isNaN(window)) this.streams.reset(stream, FLOW_CONTROL_ERROR);
    else {
      stream.sendWindowBytes = window;
      this.context.sender.queued(stream);
    }
  }

  /** Section 5.5: frames of unknown types are ignored, not free. */
  unknown(): void {
    this.context.guard.controlFrame(1);
  }

  private widen(stream: Stream, change: number): void {
    const window = widenedWindow(stream.sendWindowBytes, change);
    if (Number.isNaN(window)) throw new ConnectionError(FLOW_CONTROL_ERROR, 'window of a stream above its maximum');
    stream.sendWindowBytes = window;
    this.context.sender.queued(stream);
  }

  /** An open stream, or undefined for a closed one, where these frames mean nothing any more (RFC 9113 section 5.1). */
  private find(streamId: number, what: string): Stream | undefined {
    const stream = this.streams.open.get(streamId);
    if (stream === undefined && (streamId === 0 || streamId > this.streams.lastStreamId || (streamId & 1) === 0)) {
      throw new ConnectionError(PROTOCOL_ERROR, `${what} on stream ${streamId}, which is idle`);
    }
    return stream;
  }
}
