import { decodeFrame, MAX_FRAME_BYTES, type PeerFrame } from './wire-format';

/** Puts frames together from what a connection brings, in memory for one frame. */
export class FrameBuffer {
  private rest = Buffer.alloc(0);

  /**
   * Calls back with each whole frame, until it answers false.
   * @returns why the bytes are no frames; undefined while they are
   */
  public take(chunk: Buffer, onFrame: (frame: PeerFrame) => boolean): string | undefined {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const decoded = decodeFrame(bytes);
      if (decoded === 'more') break;
      if ('fault' in decoded) return decoded.fault;
      if (!onFrame(decoded.frame)) return undefined;
      bytes = bytes.subarray(decoded.length);
    }
    // a copy, so that a few bytes do not hold on to a whole chunk; never more than a frame, because its length is looked at first
    this.rest = Buffer.from(bytes.subarray(0, MAX_FRAME_BYTES));
    return undefined;
  }
}
