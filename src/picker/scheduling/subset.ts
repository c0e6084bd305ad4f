import type { EndpointSnapshot } from './interface/endpoint-snapshot';

/**
 * Narrows candidates to a proxy's subset hint (endpoint picker protocol, proposal 004): entries are `ip:port`, or a bare address that
 * stands for all of its ports.
 */
export class SubsetSelector {
  /** By slot: the number of the call that last named it. */
  private named = new Int32Array(0);
  private call = 0;

  /** Writes the ready slots that the hint names to `candidates` and returns how many there are. */
  public select(subset: readonly string[], snapshot: EndpointSnapshot, candidates: Int32Array): number {
    if (this.named.length < snapshot.table.capacity) this.named = new Int32Array(snapshot.table.capacity);
    const call = this.nextCall();
    for (const entry of subset) {
      const slot = snapshot.byHostPort.get(entry);
      if (slot !== undefined) {
        this.named[slot] = call;
        continue;
      }
      for (const sibling of snapshot.byAddress.get(entry) ?? []) this.named[sibling] = call;
    }
    let count = 0;
    for (let k = 0; k < snapshot.ready.length; k++) {
      const slot = snapshot.ready[k]!;
      if (this.named[slot] === call) candidates[count++] = slot;
    }
    return count;
  }

  /** Never 0, which is what slots hold that no call has named; a busy picker counts through 32 bits in half a day. */
  private nextCall(): number {
    this.call = (this.call + 1) | 0;
    if (this.call === 0) {
      this.named.fill(0);
      this.call = 1;
    }
    return this.call;
  }
}
