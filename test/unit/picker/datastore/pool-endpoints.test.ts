import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { PooledEndpoints } from '../../../../src/picker/datastore/pool-endpoints';
import { endpoint } from '../scheduling/support/pool';

describe('several pools in one table', () => {
  test('each pool shows its own endpoints, all share the table', () => {
    const store = new EndpointStore();
    const pooled = new PooledEndpoints(store);
    const [a, b] = [pooled.addPool(), pooled.addPool()];
    a.replaceAll([endpoint(1), endpoint(2)]);
    b.replaceAll([endpoint(3)]);
    expect(store.snapshot.ready).toHaveLength(3);
    expect([...a.snapshot.byHostPort.keys()]).toEqual(['10.0.0.1:8000', '10.0.0.2:8000']);
    expect([...b.snapshot.byHostPort.keys()]).toEqual(['10.0.0.3:8000']);
    expect(a.snapshot.table).toBe(store.snapshot.table);
    expect(b.snapshot.endpoints.filter((found) => found !== undefined).map((found) => found!.name)).toEqual(['engine-3']);
  });

  test('an engine of two pools has one slot', () => {
    const pooled = new PooledEndpoints(new EndpointStore());
    const [a, b] = [pooled.addPool(), pooled.addPool()];
    a.replaceAll([endpoint(1)]);
    b.replaceAll([endpoint(2), endpoint(1)]);
    expect(b.snapshot.byHostPort.get('10.0.0.1:8000')).toBe(a.snapshot.byHostPort.get('10.0.0.1:8000'));
    b.replaceAll([]);
    expect(a.snapshot.ready).toHaveLength(1);
    expect(b.snapshot.ready).toHaveLength(0);
  });

  test('all pools follow when the table grows', () => {
    const store = new EndpointStore();
    const pooled = new PooledEndpoints(store);
    const [a, b] = [pooled.addPool(), pooled.addPool()];
    a.replaceAll([endpoint(1)]);
    b.replaceAll(Array.from({ length: 100 }, (_, index) => endpoint(index + 10)));
    expect(a.snapshot.table).toBe(store.snapshot.table);
    expect(a.snapshot.table.capacity).toBeGreaterThanOrEqual(101);
    expect(a.snapshot.ready).toEqual(Int32Array.of(store.snapshot.byHostPort.get('10.0.0.1:8000')!));
  });

  test('endpoints that are not ready are known and not offered', () => {
    const pool = new PooledEndpoints(new EndpointStore()).addPool();
    pool.replaceAll([endpoint(1, { ready: false }), endpoint(2)]);
    expect(pool.snapshot.ready).toHaveLength(1);
    expect(pool.snapshot.byAddress.size).toBe(2);
  });
});
