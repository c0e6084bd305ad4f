import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import type { EndpointDiscovery } from '../../../../src/picker/discovery/endpoint-discovery';
import { KubeSources } from '../../../../src/picker/kube/kube-sources';
import { PoolDiscovery } from '../../../../src/picker/kube/pool-discovery';
import { SelectorDiscovery } from '../../../../src/picker/kube/selector-discovery';
import type { PoolGroup } from '../../../../src/picker-config/picker-policy';
import { FakeCluster, fakeHost, type Kind, PODS, POOL_GROUP, POOLS, pod, pool, settle } from './support/fake-cluster';

const GROUP = POOL_GROUP;

let cluster: FakeCluster;
let host: ReturnType<typeof fakeHost>;
let sources: KubeSources;
let store: EndpointStore;
let synced: number;
let running: EndpointDiscovery[];

beforeEach(() => {
  cluster = new FakeCluster();
  host = fakeHost(cluster);
  sources = new KubeSources(host);
  store = new EndpointStore();
  synced = 0;
  running = [];
});

afterEach(() => {
  for (const discovery of running) discovery.stop();
  expect(cluster.open.size).toBe(0);
});

async function run(discovery: EndpointDiscovery): Promise<EndpointDiscovery> {
  running.push(discovery);
  expect(discovery.start(() => synced++)).toEqual([]);
  await settle();
  return discovery;
}

const runPool = (group: PoolGroup = GROUP, name = 'llama', into = store) =>
  run(new PoolDiscovery(sources, { name, namespace: 'ai', group }, into));
const ready = (of = store) => [...of.snapshot.ready].map((slot) => of.snapshot.endpoints[slot]!.hostPort).sort();
const podWatches = () =>
  [...cluster.open].filter(({ target }) => target.resource === 'pods').map(({ target }) => target.labelSelector);

describe('discovery by an InferencePool', () => {
  test('finds the pods of its selector on all of its ports', async () => {
    cluster.put(POOLS, 'llama', pool([8000, 8001]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    cluster.put(PODS, 'b', pod('10.0.0.2', { labels: { app: 'other' } }));
    await runPool();
    expect(ready()).toEqual(['10.0.0.1:8000', '10.0.0.1:8001']);
    expect(synced).toBe(1);
  });

  test('is synced with a pool that has no pods', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    await runPool();
    expect([synced, ready()]).toEqual([1, []]);
  });

  test('follows readiness: a pod that drains keeps its slot, a deleted one loses it', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1', { ready: false }));
    await runPool();
    expect(ready()).toEqual([]);
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await settle();
    expect(ready()).toEqual(['10.0.0.1:8000']);
    cluster.put(PODS, 'a', pod('10.0.0.1', { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    await settle();
    expect([ready(), store.snapshot.byHostPort.size]).toEqual([[], 1]);
    cluster.remove(PODS, 'a');
    await settle();
    expect(store.snapshot.byHostPort.size).toBe(0);
  });

  test('a pod made again under its name and address is a new engine', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    const { table, byHostPort } = store.snapshot;
    const slot = byHostPort.get('10.0.0.1:8000')!;
    const generation = table.generation[slot]!;
    table.inFlight[slot] = 5;
    cluster.remove(PODS, 'a');
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await settle();
    const again = store.snapshot.byHostPort.get('10.0.0.1:8000')!;
    expect(store.snapshot.table.inFlight[again]).toBe(0);
    expect([again, store.snapshot.table.generation[again]]).not.toEqual([slot, generation]);
  });

  test('many changes at once reach the store together', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    await runPool();
    const { version } = store.snapshot;
    for (let i = 0; i < 100; i++) cluster.put(PODS, `p${i}`, pod(`10.0.1.${i}`));
    await settle();
    expect([ready().length, store.snapshot.version - version]).toEqual([100, 1]);
  });

  test('changed ports apply, and the pods are not asked for again', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    const { lists } = cluster;
    cluster.put(POOLS, 'llama', pool([9000, 8000]));
    await settle();
    expect([ready(), cluster.lists]).toEqual([['10.0.0.1:8000', '10.0.0.1:9000'], lists]);
  });

  test('a changed selector takes over at once when its pods are known, and not before', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    cluster.put(PODS, 'b', pod('10.0.0.2', { labels: { app: 'new' } }));
    await runPool();
    const seen: string[][] = [];
    store.onChange(() => seen.push(ready()));
    cluster.forbidden.add('pods');
    cluster.put(POOLS, 'llama', pool([9000], { app: 'new' }));
    await settle();
    // the ports belong to the new pods as well
    expect(ready()).toEqual(['10.0.0.1:8000']);
    cluster.forbidden.clear();
    await settle();
    expect(seen).toEqual([['10.0.0.2:9000']]);
    expect(podWatches()).toEqual(['app=new']);
  });

  test('ports that change while the pods of a changed selector are waited for are those that apply', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'b', pod('10.0.0.2', { labels: { app: 'new' } }));
    await runPool();
    cluster.forbidden.add('pods');
    cluster.put(POOLS, 'llama', pool([9000], { app: 'new' }));
    await settle();
    cluster.put(POOLS, 'llama', pool([9001], { app: 'new' }));
    cluster.forbidden.clear();
    await settle();
    expect(ready()).toEqual(['10.0.0.2:9001']);
  });

  test('a selector that changes to and fro ends where the pool says', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    cluster.put(POOLS, 'llama', pool([9000], { app: 'new' }));
    cluster.put(POOLS, 'llama', pool([9001], { app: 'newer' }));
    cluster.put(POOLS, 'llama', pool([9002]));
    await settle();
    expect([ready(), podWatches()]).toEqual([['10.0.0.1:9002'], ['app=llama']]);
  });

  test('a pool that does not exist is told, is not ready, and is found when it comes', async () => {
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    expect([synced, host.said.filter((line) => line.includes('AIG544')).length]).toEqual([0, 1]);
    cluster.put(POOLS, 'llama', pool([8000]));
    await settle();
    expect([synced, ready()]).toEqual([1, ['10.0.0.1:8000']]);
  });

  test('a definition that is installed late is found', async () => {
    cluster.missing.add('inferencepools');
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    expect(synced).toBe(0);
    cluster.missing.clear();
    await settle();
    expect([synced, ready()]).toEqual([1, ['10.0.0.1:8000']]);
  });

  test('a deleted pool has no endpoints, until it is there again', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    cluster.remove(POOLS, 'llama');
    await settle();
    expect([ready(), podWatches()]).toEqual([[], []]);
    cluster.put(POOLS, 'llama', pool([8000]));
    await settle();
    expect([ready(), synced]).toEqual([['10.0.0.1:8000'], 1]);
  });

  test.each([
    ['selects by no label', { spec: { selector: { matchLabels: {} }, targetPorts: [{ number: 8000 }] } }],
    ['has no port', { spec: { selector: { matchLabels: { app: 'llama' } }, targetPorts: [] } }],
    ['has no spec', {}],
  ])('a pool that %s is refused by name, and no pods are asked for', async (_, fields) => {
    cluster.put(POOLS, 'llama', fields);
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool();
    expect([ready(), podWatches(), synced]).toEqual([[], [], 0]);
    expect(host.said.join()).toContain('AIG545');
  });

  test.each(['v1alpha2', 'v1alpha1'])('the older group in version %s has one port', async (version) => {
    const group = 'inference.networking.x-k8s.io' as const;
    const kind: Kind = { ...POOLS, group, version };
    const list = cluster.list.bind(cluster);
    cluster.list = (target, signal) =>
      target.resource === 'inferencepools' && target.version !== version
        ? cluster.list({ ...target, resource: 'absent' }, signal)
        : list(target, signal);
    cluster.missing.add('absent');
    cluster.put(kind, 'llama', { spec: { selector: { app: 'llama' }, targetPortNumber: 8000 } });
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await runPool(group);
    expect(ready()).toEqual(['10.0.0.1:8000']);
  });

  test('what it follows is told: the pool and its pods', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    const discovery = await runPool();
    expect(discovery.statuses()).toMatchObject([
      { source: 'inferencepools.inference.networking.k8s.io ai/llama', isSynced: true, isCurrent: true, staleSeconds: 0 },
      { source: 'pods ai app=llama', isSynced: true, isCurrent: true, staleSeconds: 0 },
    ]);
  });
});

describe('several pools', () => {
  test('that select the same pods share one watch, which ends with the last', async () => {
    cluster.put(POOLS, 'llama', pool([8000]));
    cluster.put(POOLS, 'again', pool([9000]));
    cluster.put(POOLS, 'other', pool([8000], { app: 'other' }));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    const again = new EndpointStore();
    const first = await runPool();
    const second = await runPool(GROUP, 'again', again);
    await runPool(GROUP, 'other', new EndpointStore());
    expect([ready(), ready(again)]).toEqual([['10.0.0.1:8000'], ['10.0.0.1:9000']]);
    expect(podWatches().sort()).toEqual(['app=llama', 'app=other']);
    expect(synced).toBe(3);
    first.stop();
    cluster.put(PODS, 'b', pod('10.0.0.2'));
    await settle();
    expect([ready(), ready(again)]).toEqual([['10.0.0.1:8000'], ['10.0.0.1:9000', '10.0.0.2:9000']]);
    second.stop();
    await settle();
    expect(podWatches()).toEqual(['app=other']);
  });
});

describe('discovery by a label selector', () => {
  test('needs no pool', async () => {
    cluster.missing.add('inferencepools');
    cluster.put(PODS, 'a', pod('10.0.0.1', { labels: { app: 'llama', tier: 'x' } }));
    cluster.put(PODS, 'b', pod('10.0.0.2'));
    const selection = { matchLabels: { tier: 'x', app: 'llama' }, ports: [8000, 8001] };
    const discovery = await run(new SelectorDiscovery(sources, 'ai', selection, store));
    expect([ready(), synced, host.said]).toEqual([['10.0.0.1:8000', '10.0.0.1:8001'], 1, []]);
    expect(discovery.statuses().map(({ source }) => source)).toEqual(['pods ai app=llama,tier=x']);
  });

  test('is not ready while its pods may not be read', async () => {
    cluster.forbidden.add('pods');
    await run(new SelectorDiscovery(sources, 'ai', { matchLabels: { app: 'llama' }, ports: [8000] }, store));
    expect([synced, host.said.join().includes('AIG542')]).toEqual([0, true]);
    cluster.forbidden.clear();
    await settle();
    expect(synced).toBe(1);
  });
});
