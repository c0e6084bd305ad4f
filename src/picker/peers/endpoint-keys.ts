import { hashText } from '../../shared/hash';
import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';

/**
 * Endpoints by the name that replicas use between them, a hash of `ip:port`: slots differ from replica to replica.
 */
export class EndpointKeys {
  /** By slot: two words; zeros where a slot is free. */
  public words = new Int32Array(0);
  private readonly slots = new Map<number, number>();

  /** Called with all endpoints, of every pool, when they have changed. */
  public follow({ table, endpoints }: EndpointSnapshot): void {
    this.words = new Int32Array(2 * table.capacity);
    this.slots.clear();
    const hash = { low: 0, high: 0 };
    endpoints.forEach((endpoint, slot) => {
      if (endpoint === undefined) return;
      hash.low = 0;
      hash.high = 0;
      hashText(endpoint.hostPort, hash);
      this.words[2 * slot] = hash.low;
      this.words[2 * slot + 1] = hash.high;
      this.slots.set(keyNumber(hash.low, hash.high), slot);
    });
  }

  /** Undefined for an endpoint that is not known here. */
  public slotOf(key: number): number | undefined {
    return this.slots.get(key);
  }
}

/** Both words as one number, of which 53 bits fit. */
export function keyNumber(low: number, high: number): number {
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
