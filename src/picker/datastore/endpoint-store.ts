import type { Endpoint, EndpointSnapshot, EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import { EndpointTable } from '../scheduling/interface/endpoint-table';

const INITIAL_CAPACITY = 16;

/**
 * The endpoints of one pool. Whoever finds them hands over the whole list (`replaceAll`); the store gives each endpoint a slot of the
 * table, keeps it there for as long as the endpoint exists, and publishes the next snapshot in one assignment.
 *
 * An endpoint is the same one as before when name, namespace, uid, address and port are: a pod that comes back under the same name is
 * another engine, with an empty cache and no requests.
 */
export class EndpointStore implements EndpointSource {
  public snapshot: EndpointSnapshot = emptySnapshot();

  private readonly slots = new Map<string, number>();
  private endpoints: (Endpoint | undefined)[] = new Array(INITIAL_CAPACITY).fill(undefined);
  /** A queue, so that a slot rests as long as possible: a scrape of its last endpoint may still be under way. */
  private readonly free: number[] = Array.from({ length: INITIAL_CAPACITY }, (_, slot) => slot);
  private readonly listeners: ((snapshot: EndpointSnapshot) => void)[] = [];

  /** Calls back after every change, on the same turn. */
  public onChange(listener: (snapshot: EndpointSnapshot) => void): void {
    this.listeners.push(listener);
  }

  /**
   * The endpoints from here on. Of several with the same address and port, the first counts.
   * @returns whether anything changed
   */
  public replaceAll(wanted: readonly Endpoint[]): boolean {
    const byKey = new Map<string, Endpoint>();
    const hostPorts = new Set<string>();
    for (const endpoint of wanted) {
      if (hostPorts.has(endpoint.hostPort)) continue;
      hostPorts.add(endpoint.hostPort);
      byKey.set(keyOf(endpoint), endpoint);
    }
    let changed = false;
    for (const [key, slot] of this.slots) {
      if (byKey.has(key)) continue;
      this.slots.delete(key);
      this.endpoints[slot] = undefined;
      this.snapshot.table.reset(slot);
      this.free.push(slot);
      changed = true;
    }
    let { table } = this.snapshot;
    if (byKey.size > table.capacity) table = this.grown(table, byKey.size);
    for (const [key, endpoint] of byKey) {
      const slot = this.slots.get(key);
      if (slot !== undefined) {
        if (isSame(this.endpoints[slot]!, endpoint)) continue;
        this.endpoints[slot] = endpoint;
      } else {
        const next = this.free.shift()!;
        this.slots.set(key, next);
        this.endpoints[next] = endpoint;
        table.reset(next);
      }
      changed = true;
    }
    if (changed) this.publish(table);
    return changed;
  }

  private grown(table: EndpointTable, atLeast: number): EndpointTable {
    let { capacity } = table;
    while (capacity < atLeast) capacity *= 2;
    const larger = new EndpointTable(capacity);
    larger.copyFrom(table);
    for (let slot = table.capacity; slot < capacity; slot++) this.free.push(slot);
    this.endpoints.length = capacity;
    this.endpoints.fill(undefined, table.capacity);
    return larger;
  }

  private publish(table: EndpointTable): void {
    const byHostPort = new Map<string, number>();
    const byAddress = new Map<string, number[]>();
    const ready: number[] = [];
    this.endpoints.forEach((endpoint, slot) => {
      if (endpoint === undefined) return;
      byHostPort.set(endpoint.hostPort, slot);
      const siblings = byAddress.get(endpoint.address);
      if (siblings === undefined) byAddress.set(endpoint.address, [slot]);
      else siblings.push(slot);
      if (endpoint.ready) ready.push(slot);
    });
    this.snapshot = {
      version: this.snapshot.version + 1,
      table,
      ready: Int32Array.from(ready),
      endpoints: [...this.endpoints],
      byHostPort,
      byAddress,
    };
    for (const listener of this.listeners) listener(this.snapshot);
  }
}

function emptySnapshot(): EndpointSnapshot {
  return {
    version: 0,
    table: new EndpointTable(INITIAL_CAPACITY),
    ready: new Int32Array(0),
    endpoints: new Array(INITIAL_CAPACITY).fill(undefined),
    byHostPort: new Map(),
    byAddress: new Map(),
  };
}

function keyOf({ namespace = '', name, uid = '', hostPort }: Endpoint): string {
  return `${namespace}/${name}/${uid}/${hostPort}`;
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  const names = Object.keys(a.labels);
  return (
    a.ready === b.ready &&
    names.length === Object.keys(b.labels).length &&
    names.every((name) => a.labels[name] === b.labels[name])
  );
}
