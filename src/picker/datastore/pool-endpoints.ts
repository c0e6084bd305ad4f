import type { Endpoint, EndpointSnapshot, EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import type { EndpointStore } from './endpoint-store';

/** Whatever takes the endpoints that a discovery has found: the whole list, every time. */
export interface EndpointSink {
  /** @returns whether anything changed */
  replaceAll(wanted: readonly Endpoint[]): boolean;
}

/**
 * The endpoints of several pools in one table: one slot per engine, scraped once, its requests in flight counted once, also when it
 * belongs to two pools. Each pool is a view of the table that holds its own endpoints only.
 */
export class PooledEndpoints {
  private readonly pools: PoolEndpoints[] = [];
  private readonly listeners: (() => void)[] = [];

  public constructor(public readonly store: EndpointStore) {}

  /** Calls back after every change, when every pool shows it. */
  public onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** A further pool, empty. */
  public addPool(): PoolEndpoints {
    const pool = new PoolEndpoints(this.store, () => this.merge());
    this.pools.push(pool);
    return pool;
  }

  private merge(): boolean {
    const changed = this.store.replaceAll(this.pools.flatMap((pool) => pool.wanted));
    // a slot may have moved under every pool
    for (const pool of this.pools) pool.refresh();
    if (changed) for (const listener of this.listeners) listener();
    return changed;
  }
}

/** One pool's share of the table. */
export class PoolEndpoints implements EndpointSource, EndpointSink {
  public snapshot: EndpointSnapshot;
  /** What the pool's discovery last found. */
  public wanted: readonly Endpoint[] = [];

  public constructor(
    private readonly store: EndpointStore,
    private readonly merge: () => boolean,
  ) {
    const endpoints = new Array(store.snapshot.endpoints.length).fill(undefined);
    this.snapshot = { ...store.snapshot, endpoints, ready: new Int32Array(0), byHostPort: new Map(), byAddress: new Map() };
  }

  public replaceAll(wanted: readonly Endpoint[]): boolean {
    this.wanted = wanted;
    return this.merge();
  }

  /** Derives the view from the table as it is. */
  public refresh(): void {
    const { version, table, endpoints: all, byHostPort: slots } = this.store.snapshot;
    const endpoints: (Endpoint | undefined)[] = new Array(all.length).fill(undefined);
    const ready = new Set<number>();
    const byHostPort = new Map<string, number>();
    const byAddress = new Map<string, number[]>();
    for (const endpoint of this.wanted) {
      const slot = slots.get(endpoint.hostPort)!;
      if (byHostPort.has(endpoint.hostPort)) continue;
      byHostPort.set(endpoint.hostPort, slot);
      endpoints[slot] = endpoint;
      const siblings = byAddress.get(endpoint.address);
      if (siblings === undefined) byAddress.set(endpoint.address, [slot]);
      else siblings.push(slot);
      if (endpoint.ready) ready.add(slot);
    }
    this.snapshot = { version, table, endpoints, ready: Int32Array.from(ready), byHostPort, byAddress };
  }
}
