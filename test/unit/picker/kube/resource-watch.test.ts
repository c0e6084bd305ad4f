import { ClusterError, type KubeObject } from '../../../../src/picker/kube/cluster-watch';
import { ResourceWatch, type ResourceWatchOptions } from '../../../../src/picker/kube/resource-watch';
import { FakeCluster, fakeHost, PODS, pod, settle } from './support/fake-cluster';

describe('a watch', () => {
  let cluster: FakeCluster;
  let host: ReturnType<typeof fakeHost>;
  let watch: ResourceWatch<string>;
  let changes: number;

  beforeEach(() => {
    cluster = new FakeCluster();
    host = fakeHost(cluster);
    changes = 0;
  });

  afterEach(() => watch.stop());

  function start(options: Partial<ResourceWatchOptions<string>> = {}) {
    const parse = ({ metadata, status }: KubeObject) => `${metadata.name}@${(status as { podIP: string }).podIP}`;
    watch = new ResourceWatch(host, { target: PODS, parse, onChange: () => changes++, ...options });
    watch.start();
    return settle();
  }

  const known = () => [...watch.items.values()].sort();

  test('lists, then follows what is added, changed and deleted', async () => {
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await start();
    expect(known()).toEqual(['a@10.0.0.1']);
    cluster.put(PODS, 'b', pod('10.0.0.2'));
    cluster.put(PODS, 'a', pod('10.0.0.9'));
    expect(known()).toEqual(['a@10.0.0.9', 'b@10.0.0.2']);
    cluster.remove(PODS, 'a');
    expect(known()).toEqual(['b@10.0.0.2']);
    expect(cluster.lists).toBe(1);
    expect(changes).toBe(4);
  });

  test('an empty list counts as known, and says so once', async () => {
    await start();
    expect(watch.isSynced).toBe(true);
    expect(changes).toBe(1);
  });

  test('a change that says nothing of interest is no change', async () => {
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await start();
    cluster.put(PODS, 'a', { ...pod('10.0.0.1'), metadata: { annotations: { beat: '2' } } });
    expect(changes).toBe(1);
  });

  test('goes on where it was when the server ends the watch, without another list', async () => {
    await start();
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    cluster.closeWatches();
    cluster.put(PODS, 'b', pod('10.0.0.2'));
    await settle();
    expect(known()).toEqual(['a@10.0.0.1', 'b@10.0.0.2']);
    expect([cluster.lists, cluster.watchesOpened]).toEqual([1, 2]);
    expect(host.waits).toEqual([]);
  });

  test('a bookmark moves the place to go on from', async () => {
    await start();
    cluster.put({ ...PODS, namespace: 'other' }, 'x', pod('10.9.9.9'));
    cluster.bookmark();
    cluster.compact();
    cluster.closeWatches();
    await settle();
    expect([cluster.lists, cluster.watchesOpened]).toEqual([1, 2]);
  });

  test('a server that ends every watch at once is asked less and less often', async () => {
    await start();
    for (let i = 0; i < 4; i++) {
      cluster.closeWatches();
      await settle();
    }
    expect(host.waits).toHaveLength(4);
    expect(host.waits[3]!).toBeGreaterThan(host.waits[0]! * 2);
  });

  test('lists again when its place is forgotten (410), and finds what is gone', async () => {
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    cluster.put(PODS, 'b', pod('10.0.0.2'));
    await start();
    cluster.closeWatches();
    cluster.remove(PODS, 'a');
    cluster.put(PODS, 'c', pod('10.0.0.3'));
    cluster.compact();
    await settle();
    expect(known()).toEqual(['b@10.0.0.2', 'c@10.0.0.3']);
    expect(cluster.lists).toBe(2);
    expect(watch.status).toMatchObject({ isCurrent: true, failures: 0 });
    expect(host.said.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  test('a 410 in the middle of a watch is the same', async () => {
    await start();
    cluster.closeWatches(new ClusterError(410, 'too old resource version'));
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await settle();
    expect(known()).toEqual(['a@10.0.0.1']);
    expect(cluster.lists).toBe(2);
  });

  test('a pod that is made again under its name is another one', async () => {
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await start();
    const [before] = watch.items.keys();
    cluster.remove(PODS, 'a');
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    expect([...watch.items.keys()]).not.toEqual([before]);
    expect(known()).toEqual(['a@10.0.0.1']);
  });

  test('keeps what it knows while the server is away, and says since when', async () => {
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await start();
    const away = new ClusterError(0, 'connect ECONNREFUSED');
    for (let i = 0; i < 400; i++) cluster.failures.push(away);
    cluster.closeWatches(away);
    await settle(500);
    expect(known()).toEqual(['a@10.0.0.1']);
    const { isSynced, isCurrent, staleSeconds, lastError } = watch.status;
    expect({ isSynced, isCurrent, lastError }).toEqual({
      isSynced: true,
      isCurrent: false,
      lastError: 'pods cannot be followed: connect ECONNREFUSED',
    });
    expect(staleSeconds).toBeGreaterThan(600);
    // waits grow to 10 s, each at least half of that, and no two the same
    expect(Math.max(...host.waits)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...host.waits.slice(8))).toBeGreaterThanOrEqual(5_000);
    expect(new Set(host.waits).size).toBe(host.waits.length);
    cluster.failures.length = 0;
    cluster.put(PODS, 'b', pod('10.0.0.2'));
    await settle();
    expect(known()).toEqual(['a@10.0.0.1', 'b@10.0.0.2']);
    expect(watch.status).toMatchObject({ isCurrent: true, staleSeconds: 0, lastError: undefined });
    expect(host.said.at(-1)).toBe('info: the Kubernetes API is followed again');
  });

  test('the same failure is told once every five minutes, not at every try', async () => {
    for (let i = 0; i < 100; i++) cluster.failures.push(new ClusterError(0, 'connect ECONNREFUSED'));
    await start();
    await settle(300);
    const tries = host.waits.length;
    const tellings = host.said.filter((line) => line.startsWith('warn')).length;
    expect(tries).toBeGreaterThan(50);
    expect(tellings).toBeGreaterThan(1);
    expect(tellings).toBeLessThan(6);
  });

  test.each([
    [401, 'AIG541', 'credentials'],
    [403, 'AIG542', 'grant get, list and watch on pods with a Role and a RoleBinding in namespace ai'],
    [404, 'AIG543', 'install its CustomResourceDefinition'],
    [500, 'AIG540', 'HTTP 500'],
    [0, 'AIG540', 'NetworkPolicy'],
  ])('an answer of %i is told as %s, and tried again', async (status, code, words) => {
    cluster.failures.push(new ClusterError(status, 'no'));
    await start();
    const warning = host.said.find((line) => line.startsWith('warn'));
    expect(warning).toContain(code);
    expect(warning).toContain(words);
    expect(watch.isSynced).toBe(true);
  });

  test('waits as long as the server asks for, up to a minute', async () => {
    cluster.failures.push(new ClusterError(429, 'slow down', 30_000), new ClusterError(503, 'go away', 3_600_000));
    await start();
    expect(host.waits).toEqual([30_000, 60_000]);
  });

  test('tries the versions of a kind in turn until the server knows one', async () => {
    const tried: string[] = [];
    const list = cluster.list.bind(cluster);
    cluster.list = (target, signal) => {
      tried.push(target.version);
      if (target.version === 'v1alpha1') return list(target, signal);
      return Promise.reject(new ClusterError(404, '404 page not found'));
    };
    await start({ otherVersions: ['v1alpha1'] });
    expect(tried).toEqual(['v1', 'v1alpha1']);
    expect(watch.isSynced).toBe(true);
  });

  test('an optional kind that is not installed is empty, silently, until it comes', async () => {
    cluster.missing.add('pods');
    await start({ isOptional: true });
    expect(watch.isSynced).toBe(true);
    expect(host.said).toEqual([]);
    expect(Math.min(...host.waits)).toBeGreaterThanOrEqual(30_000);
    cluster.missing.clear();
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await settle();
    expect(known()).toEqual(['a@10.0.0.1']);
    // and when it is removed again, its objects are gone
    cluster.missing.add('pods');
    cluster.closeWatches();
    await settle();
    expect(known()).toEqual([]);
  });

  test('after stop nothing is asked or told any more', async () => {
    await start();
    watch.stop();
    cluster.put(PODS, 'a', pod('10.0.0.1'));
    await settle();
    expect([cluster.open.size, cluster.lists, cluster.watchesOpened, changes]).toEqual([0, 1, 1, 1]);
  });
});
