import { ConnectionError, FRAME_SIZE_ERROR } from './error-codes';
import { DEFAULT_MAX_FRAME_BYTES, FRAME_HEADER_BYTES } from './frame-types';

/** Receives whole frames. `buffer[start, end)` is the payload, valid during the call only. */
export interface FrameHandler {
  frame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void;
}

/**
 * Cuts the byte stream into frames (RFC 9113 section 4.1). A frame that lies whole in one read is handed over in place; only one that
 * spans reads is copied.
 */
export class FrameReader {
  /** The frame under way, from its header; allocated when a frame first spans two reads. */
  private partial: Buffer | undefined;
  private partialBytes = 0;

  constructor(private readonly handler: FrameHandler) {}

  /** A frame has begun and not ended. */
  get midFrame(): boolean {
    return this.partialBytes > 0;
  }

  /** @throws ConnectionError FRAME_SIZE_ERROR, and what the handler throws */
  read(chunk: Buffer, offset: number): void {
    if (this.partialBytes > 0) {
      offset = this.completePartial(chunk, offset);
      if (offset < 0) return;
    }
    const end = chunk.length;
    while (end - offset >= FRAME_HEADER_BYTES) {
      const payloadEnd = offset + FRAME_HEADER_BYTES + payloadBytes(chunk, offset);
      if (payloadEnd > end) break;
      this.dispatch(chunk, offset, payloadEnd);
      offset = payloadEnd;
    }
    if (offset < end) this.keep(chunk, offset, end);
  }

  /** Returns the offset behind the frame in `chunk`, or -1 when the chunk ends before it. */
  private completePartial(chunk: Buffer, offset: number): number {
    if (this.partialBytes < FRAME_HEADER_BYTES) {
      offset = this.fill(chunk, offset, FRAME_HEADER_BYTES);
      if (this.partialBytes < FRAME_HEADER_BYTES) return -1;
    }
    const frameBytes = FRAME_HEADER_BYTES + payloadBytes(this.partial!, 0);
    offset = this.fill(chunk, offset, frameBytes);
    if (this.partialBytes < frameBytes) return -1;
    this.partialBytes = 0;
    this.dispatch(this.partial!, 0, frameBytes);
    return offset;
  }

  private fill(chunk: Buffer, offset: number, untilBytes: number): number {
    const copied = chunk.copy(this.partial!, this.partialBytes, offset, offset + untilBytes - this.partialBytes);
    this.partialBytes += copied;
    return offset + copied;
  }

  private keep(chunk: Buffer, offset: number, end: number): void {
    this.partial ??= Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + DEFAULT_MAX_FRAME_BYTES);
    this.partialBytes = chunk.copy(this.partial, 0, offset, end);
  }

  private dispatch(buffer: Buffer, offset: number, payloadEnd: number): void {
    const streamId =
      ((buffer[offset + 5]! & 0x7f) << 24) | (buffer[offset + 6]! << 16) | (buffer[offset + 7]! << 8) | buffer[offset + 8]!;
    this.handler.frame(buffer[offset + 3]!, buffer[offset + 4]!, streamId, buffer, offset + FRAME_HEADER_BYTES, payloadEnd);
  }
}

function payloadBytes(buffer: Buffer, offset: number): number {
  const bytes = (buffer[offset]! << 16) | (buffer[offset + 1]! << 8) | buffer[offset + 2]!;
  if (bytes > DEFAULT_MAX_FRAME_BYTES) throw new ConnectionError(FRAME_SIZE_ERROR, `frame of ${bytes} bytes`);
  return bytes;
}
