import fc from 'fast-check';
import { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import { ClusterError } from '../../src/picker/kube/cluster-watch';
import { KubeSources } from '../../src/picker/kube/kube-sources';
import { PoolDiscovery } from '../../src/picker/kube/pool-discovery';
import { FakeCluster, fakeHost, PODS, POOL_GROUP, POOLS, pod, pool, settle } from '../unit/picker/kube/support/fake-cluster';

/** Turns of the event loop until the next one: none, a few, or enough for everything to come to rest. */
const turns = fc.constantFrom(0, 0, 1, 2, 3, 5, 20);

/** One thing that happens to the cluster, or between it and the picker. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    name: fc.constantFrom('a', 'b', 'c'),
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
    ready: fc.boolean(),
    app: fc.constantFrom('llama', 'mistral'),
    phase: fc.constantFrom('Running', 'Running', 'Succeeded'),
    ports: fc.constantFrom(undefined, '8000', '8001,9000', ''),
    leaving: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('remove' as const), name: fc.constantFrom('a', 'b', 'c') }),
  fc.record({
    kind: fc.constant('pool' as const),
    app: fc.constantFrom('llama', 'mistral'),
    ports: fc.uniqueArray(fc.constantFrom(8000, 8001, 9000), { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constantFrom(
      'close' as const,
      'break' as const,
      'gone' as const,
      'compact' as const,
      'no pool' as const,
      'bookmark' as const,
    ),
  }),
  fc.record({
    kind: fc.constant('fail' as const),
    status: fc.constantFrom(0, 403, 404, 410, 429, 500),
    times: fc.integer({ min: 1, max: 3 }),
  }),
);

function perform(cluster: FakeCluster, event: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
  switch (event.kind) {
    case 'put': {
      const { name, ip, ready, app, phase, ports, leaving } = event;
      const fields = { ready, phase, labels: { app }, ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) };
      const annotations = ports === undefined ? {} : { 'llm-d.ai/active-ports': ports };
      // a deletion is never taken back, and a put here replaces all metadata that it gives
      const { metadata, ...rest } = pod(ip, fields) as { metadata: object };
      cluster.put(PODS, name, { ...rest, metadata: { ...metadata, annotations } });
      return;
    }
    case 'remove':
      cluster.remove(PODS, event.name);
      return;
    case 'pool':
      cluster.put(POOLS, 'llama', pool(event.ports, { app: event.app }));
      return;
    case 'no pool':
      cluster.remove(POOLS, 'llama');
      return;
    case 'close':
      cluster.closeWatches();
      return;
    case 'break':
      cluster.closeWatches(new ClusterError(0, 'ECONNRESET'));
      return;
    case 'gone':
      cluster.closeWatches(new ClusterError(410, 'too old'));
      return;
    case 'compact':
      cluster.compact();
      return;
    case 'bookmark':
      cluster.bookmark();
      return;
    case 'fail':
      for (let i = 0; i < event.times; i++) cluster.failures.push(new ClusterError(event.status, 'no'));
      return;
  }
}

test('after any course of events the endpoints are those of a picker that starts afresh', async () => {
  const property = fc.asyncProperty(fc.array(fc.tuple(step, turns), { maxLength: 30 }), async (events) => {
    const cluster = new FakeCluster();
    const start = (): { store: EndpointStore; discovery: PoolDiscovery } => {
      const store = new EndpointStore();
      const discovery = new PoolDiscovery(
        new KubeSources(fakeHost(cluster)),
        { name: 'llama', namespace: 'ai', group: POOL_GROUP },
        store,
      );
      discovery.start(() => {});
      return { store, discovery };
    };
    cluster.put(POOLS, 'llama', pool([8000]));
    const old = start();
    for (const [event, rest] of events) {
      perform(cluster, event);
      await settle(rest);
    }
    cluster.failures.length = 0;
    await settle(40);
    const fresh = start();
    await settle(40);
    old.discovery.stop();
    fresh.discovery.stop();
    const endpoints = ({ snapshot }: EndpointStore) =>
      snapshot.endpoints.filter((endpoint) => endpoint !== undefined).sort((a, b) => (a.hostPort < b.hostPort ? -1 : 1));
    expect(endpoints(old.store)).toEqual(endpoints(fresh.store));
  });
  await fc.assert(property, { numRuns: 300 });
});
