/** How a stream came to be closed (RFC 9113 section 5.1); what may still arrive on it depends on that. */
export const CLOSED_UNKNOWN = 0;
/** Both sides sent END_STREAM. */
export const CLOSED_BY_END = 1;
/** The peer sent RST_STREAM: it must send nothing more. */
export const CLOSED_BY_PEER_RESET = 2;
/** This server sent RST_STREAM: frames that were under way are ignored. */
export const CLOSED_BY_OWN_RESET = 3;
/** The number was skipped: a higher one was opened first (RFC 9113 section 5.1.1). */
export const NEVER_OPENED = 4;

const SLOTS = 1024;

/** Remembers the last streams that were closed, without growing with their number. */
export class ClosedStreams {
  private readonly ids = new Int32Array(SLOTS);
  private readonly how = new Uint8Array(SLOTS);

  add(streamId: number, how: number): void {
    const slot = (streamId >>> 1) & (SLOTS - 1);
    if (this.ids[slot]! > streamId) return;
    this.ids[slot] = streamId;
    this.how[slot] = how;
  }

  /** For a number that is neither open nor above the highest opened. CLOSED_UNKNOWN when too many were closed since. */
  find(streamId: number): number {
    const slot = (streamId >>> 1) & (SLOTS - 1);
    const remembered = this.ids[slot]!;
    if (remembered === streamId) return this.how[slot]!;
    return remembered < streamId ? NEVER_OPENED : CLOSED_UNKNOWN;
  }
}
