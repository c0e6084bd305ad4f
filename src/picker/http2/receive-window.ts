/**
 * What the peer may still send, on a connection or a stream (RFC 9113 section 5.2). The window is refilled when half of it is used,
 * never for every frame: proxies count WINDOW_UPDATEs as a flood when they exceed a small multiple of the frames they sent.
 */
export class ReceiveWindow {
  /** Bytes the peer may still send. */
  private available: number;

  constructor(private readonly sizeBytes: number) {
    this.available = sizeBytes;
  }

  /** Takes `bytes`, padding included. Returns false when the peer has exceeded its window. */
  take(bytes: number): boolean {
    this.available -= bytes;
    return this.available >= 0;
  }

  /** The increment of a WINDOW_UPDATE that is due, counted as sent, or 0. */
  refill(): number {
    const used = this.sizeBytes - this.available;
    if (used < this.sizeBytes >> 1 || used === 0) return 0;
    this.available = this.sizeBytes;
    return used;
  }
}
