import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { endpoint } from '../scheduling/support/pool';

describe('the endpoint store', () => {
  test('a snapshot stays as it was when the next one is made', () => {
    const store = new EndpointStore();
    store.replaceAll([endpoint(0), endpoint(1)]);
    const before = store.snapshot;
    store.replaceAll([endpoint(1, { ready: false }), endpoint(2)]);
    expect(before.endpoints.filter(Boolean)).toEqual([endpoint(0), endpoint(1)]);
    expect([...before.ready]).toEqual([0, 1]);
    expect(store.snapshot.version).toBe(before.version + 1);
    expect([...store.snapshot.ready]).toEqual([2]);
  });

  test('the same endpoints again are no change', () => {
    const store = new EndpointStore();
    expect(store.replaceAll([endpoint(0, { labels: { a: '1' } })])).toBe(true);
    expect(store.replaceAll([endpoint(0, { labels: { a: '1' } })])).toBe(false);
    expect(store.snapshot.version).toBe(1);
  });

  test.each([
    ['readiness', { ready: false }],
    ['a label', { labels: { a: '2' } }],
    ['another label', { labels: { a: '1', b: '' } }],
  ])('a change of %s keeps the slot and what is known of it', (_, change) => {
    const store = new EndpointStore();
    store.replaceAll([endpoint(0, { labels: { a: '1' } })]);
    const { table } = store.snapshot;
    table.waiting[0] = 5;
    const generation = table.generation[0];
    expect(store.replaceAll([endpoint(0, change)])).toBe(true);
    expect([table.waiting[0], table.generation[0]]).toEqual([5, generation]);
    expect(store.snapshot.endpoints[0]).toEqual(endpoint(0, change));
  });

  test.each([
    ['another address', { address: '10.9.9.9' }],
    ['another port', { port: 1 }],
  ])('the same name at %s is another endpoint', (_, change) => {
    const store = new EndpointStore();
    store.replaceAll([endpoint(0)]);
    const before = store.snapshot.endpoints.findIndex(Boolean);
    store.replaceAll([endpoint(0, change)]);
    expect(store.snapshot.endpoints.findIndex(Boolean)).not.toBe(before);
    expect(store.snapshot.byHostPort.has(endpoint(0).hostPort)).toBe(false);
  });

  test('B18: several ports of one pod are endpoints of their own', () => {
    const store = new EndpointStore();
    store.replaceAll([endpoint(0), endpoint(0, { port: 8001 })]);
    expect(store.snapshot.byAddress.get('10.0.0.0')).toHaveLength(2);
    store.replaceAll([endpoint(0, { port: 8001 })]);
    expect(store.snapshot.ready).toHaveLength(1);
  });

  test('of two endpoints with one address and port the first counts', () => {
    const store = new EndpointStore();
    store.replaceAll([endpoint(0), { ...endpoint(0), name: 'other' }]);
    expect(store.snapshot.endpoints.filter(Boolean)).toEqual([endpoint(0)]);
  });

  test('a freed slot is used again last, with the next generation and nothing known', () => {
    const store = new EndpointStore();
    store.replaceAll([endpoint(0)]);
    const { table } = store.snapshot;
    table.inFlight[0] = 3;
    table.updatedAtMs[0] = 9;
    table.setAdapters(0, 2, ['a'], []);
    const generation = table.generation[0]!;
    store.replaceAll([]);
    for (let i = 1; i <= 15; i++) {
      store.replaceAll(Array.from({ length: i }, (_, k) => endpoint(k + 1)));
      expect(store.snapshot.endpoints[0]).toBeUndefined();
    }
    store.replaceAll(Array.from({ length: 16 }, (_, k) => endpoint(k + 1)));
    expect(store.snapshot.endpoints[0]).toEqual(endpoint(16));
    expect(table.generation[0]).toBeGreaterThan(generation);
    expect([table.inFlight[0], table.updatedAtMs[0], table.maxAdapters[0], table.runningAdapters[0]]).toEqual([0, 0, 0, 0]);
  });

  test('listeners hear of changes only', () => {
    const store = new EndpointStore();
    const versions: number[] = [];
    store.onChange(({ version }) => versions.push(version));
    store.replaceAll([endpoint(0)]);
    store.replaceAll([endpoint(0)]);
    store.replaceAll([]);
    expect(versions).toEqual([1, 2]);
  });
});
