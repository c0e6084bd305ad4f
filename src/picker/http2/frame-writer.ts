import { FLAG_END_HEADERS, FLAG_END_STREAM, FRAME_HEADER_BYTES, HEADERS } from './frame-types';

/** What the writer needs of a socket; `net.Socket` and `tls.TLSSocket` have it. */
export interface ByteSink {
  write(bytes: Buffer, done: () => void): boolean;
  /** Bytes written and not yet taken by the kernel. */
  readonly writableLength: number;
}

const SLAB_BYTES = 65_536;
const MAX_SPARE_SLABS = 64;
/** Slabs that no connection and no socket holds; a connection has one only while it has something to say. */
const spareSlabs: Buffer[] = [];
const NO_SLAB = Buffer.alloc(0);

/**
 * Output slab of one connection: frames are appended, and one write hands over all that one read of the socket has caused. A slab is
 * used again when the kernel has taken its bytes, which for a peer that reads is at once.
 */
export class FrameWriter {
  /** Valid behind `reserve`. */
  slab: Buffer = NO_SLAB;
  /** Bytes of the slab in use. */
  used = 0;
  /** Writes that the kernel has taken late: shows whether a slow peer takes anything at all. */
  lateWrites = 0;
  private readonly inFlight: Buffer[] = [];
  private released = false;

  /** @param onDrained called when the kernel has taken everything after it had not. */
  constructor(
    private readonly socket: ByteSink,
    private readonly highWaterBytes: number,
    private readonly onDrained: () => void,
  ) {}

  /** The kernel has not taken all that was written. */
  get waiting(): boolean {
    return this.inFlight.length > 0;
  }

  /** The peer reads too slowly: only what is small and must be said may be added. */
  get full(): boolean {
    return this.inFlight.length > 0 && this.socket.writableLength + this.used > this.highWaterBytes;
  }

  /** Makes room for `bytes` (at most a slab) at `used`. */
  reserve(bytes: number): void {
    if (this.used + bytes <= this.slab.length) return;
    if (this.used > 0) this.write();
    if (this.slab.length === 0) this.slab = spareSlabs.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  /** Appends a frame header; the payload of `payloadBytes` follows at `used`. The caller has reserved the room for both. */
  header(type: number, flags: number, streamId: number, payloadBytes: number): void {
    const slab = this.slab;
    const at = this.used;
    slab[at] = payloadBytes >>> 16;
    slab[at + 1] = payloadBytes >>> 8;
    slab[at + 2] = payloadBytes;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = streamId >>> 24;
    slab[at + 6] = streamId >>> 16;
    slab[at + 7] = streamId >>> 8;
    slab[at + 8] = streamId;
    this.used = at + FRAME_HEADER_BYTES;
  }

  /** RST_STREAM and WINDOW_UPDATE: a payload of one 32-bit number. */
  number(type: number, streamId: number, value: number): void {
    this.reserve(FRAME_HEADER_BYTES + 4);
    this.header(type, 0, streamId, 4);
    this.used = this.slab.writeUInt32BE(value, this.used);
  }

  /** A frame with a payload that is already bytes: SETTINGS, PING, GOAWAY. At most a slab. */
  frame(type: number, flags: number, streamId: number, payload: Buffer, start: number, end: number): void {
    this.reserve(FRAME_HEADER_BYTES + end - start);
    this.header(type, flags, streamId, end - start);
    this.used += payload.copy(this.slab, this.used, start, end);
  }

  /** Bytes that already are frames. */
  raw(frames: Buffer): void {
    this.reserve(frames.length);
    this.used += frames.copy(this.slab, this.used);
  }

  /**
   * Turns the header block that the caller has written at `blockStart` (behind a reserved frame header) into a HEADERS frame. Reply
   * blocks are far below the least MAX_FRAME_SIZE, so they need no CONTINUATION.
   */
  headersWritten(blockStart: number, blockEnd: number, streamId: number, endStream: boolean): void {
    this.used = blockStart - FRAME_HEADER_BYTES;
    this.header(HEADERS, FLAG_END_HEADERS | (endStream ? FLAG_END_STREAM : 0), streamId, blockEnd - blockStart);
    this.used = blockEnd;
  }

  /** Hands the slab to the socket, unless it still holds back earlier bytes: then these wait for it, in one later write. */
  flush(): void {
    if (this.used > 0 && this.inFlight.length === 0) this.write();
  }

  /** Hands the slab to the socket whatever it holds back: nothing comes behind it. */
  flushLast(): void {
    if (this.used > 0) this.write();
  }

  /** The connection is over: the socket's own slabs are left to it. */
  release(): void {
    this.released = true;
    this.used = 0;
  }

  private write(): void {
    const slab = this.slab;
    const bytes = this.used;
    this.used = 0;
    if (this.released) return;
    this.socket.write(slab.subarray(0, bytes), this.onWritten);
    this.slab = NO_SLAB;
    if (this.inFlight.length === 0 && this.socket.writableLength === 0) giveBack(slab);
    else this.inFlight.push(slab);
  }

  /** One function for all writes; with several under way the slabs come back with the last of them. */
  private readonly onWritten = (): void => {
    if (this.inFlight.length === 0) return;
    this.lateWrites++;
    if (this.socket.writableLength > 0) return;
    if (!this.released) for (const slab of this.inFlight) giveBack(slab);
    this.inFlight.length = 0;
    if (!this.released) this.onDrained();
  };
}

function giveBack(slab: Buffer): void {
  if (spareSlabs.length < MAX_SPARE_SLABS) spareSlabs.push(slab);
}
