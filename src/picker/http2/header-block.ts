import { ConnectionError, ENHANCE_YOUR_CALM } from './error-codes';
import type { Http2Limits } from './limits';

/** A header block whose HEADERS frame had no END_HEADERS: it is joined from CONTINUATION frames (RFC 9113 section 6.10). */
export class HeaderBlock {
  /** 0 while none is under way. */
  streamId = 0;
  endStream = false;
  buffer: Buffer = Buffer.alloc(0);
  bytes = 0;
  private frames = 0;

  constructor(private readonly limits: Http2Limits) {}

  begin(streamId: number, endStream: boolean, fragment: Buffer, start: number, end: number): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.frames = 0;
    this.bytes = 0;
    this.append(fragment, start, end);
  }

  /** @throws ConnectionError ENHANCE_YOUR_CALM: the block can be neither decoded nor skipped */
  add(fragment: Buffer, start: number, end: number): void {
    if (++this.frames > this.limits.maxContinuationFrames) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, `more than ${this.limits.maxContinuationFrames} CONTINUATION frames`);
    }
    this.append(fragment, start, end);
  }

  finish(): void {
    this.streamId = 0;
    this.buffer = Buffer.alloc(0);
  }

  private append(fragment: Buffer, start: number, end: number): void {
    const bytes = this.bytes + end - start;
    // A block may be well above its limit and still be decoded, so that only its stream is refused; beyond that the peer is at fault.
    if (bytes > 4 * this.limits.maxHeaderListBytes)
      throw new ConnectionError(ENHANCE_YOUR_CALM, `header block of ${bytes} bytes`);
    if (bytes > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * bytes);
      this.buffer.copy(larger, 0, 0, this.bytes);
      this.buffer = larger;
    }
    fragment.copy(this.buffer, this.bytes, start, end);
    this.bytes = bytes;
  }
}
