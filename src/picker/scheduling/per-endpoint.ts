import type { Endpoint, EndpointSnapshot } from './interface/endpoint-snapshot';

/**
 * Something worked out from an endpoint's labels, by slot, once for each endpoint. Remembers for which endpoint it holds, because pools are
 * different views of one table.
 */
export class PerEndpoint<T> {
  private readonly known: (Endpoint | undefined)[] = [];
  private readonly values: T[] = [];

  public constructor(private readonly derive: (endpoint: Endpoint) => T) {}

  /** @param slot of an endpoint that the snapshot has */
  public of(snapshot: EndpointSnapshot, slot: number): T {
    const endpoint = snapshot.endpoints[slot]!;
    if (this.known[slot] !== endpoint) {
      this.known[slot] = endpoint;
      this.values[slot] = this.derive(endpoint);
    }
    return this.values[slot]!;
  }
}
