import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointStore } from '../../../src/picker/datastore/endpoint-store';
import type { EndpointDiscovery } from '../../../src/picker/discovery/endpoint-discovery';
import type { ClusterWatch } from '../../../src/picker/kube/cluster-watch';
import { realDelay, type WatchHost } from '../../../src/picker/kube/watch-host';
import type { PoolGroup } from '../../../src/picker-config/picker-policy';
import { monotonicClock } from '../../../src/shared/clock';
import { unpredictableRandom } from '../../../src/shared/random';
import { describeWith } from '../../components/describe-with';
import { eventually } from '../../components/process';
import { type ApiServer, startApiServer } from '../apiserver';
import { loadKube } from './kube-bundle';
import { Objects, POOL_GROUP, writeKubeconfig } from './objects';

const kube = loadKube();
const folder = mkdtempSync(join(tmpdir(), 'kube-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A discovery on a real server, with what one can see of it. */
class Watched {
  public readonly store = new EndpointStore();
  public readonly said: string[] = [];
  public lists = 0;
  public watches = 0;
  public isSynced = false;
  private discovery: EndpointDiscovery | undefined;

  public static async start(
    server: ApiServer,
    make: (sources: InstanceType<typeof kube.KubeSources>, store: EndpointStore) => EndpointDiscovery,
  ): Promise<Watched> {
    const watched = new Watched();
    const connected = await kube.connectCluster({ env: { KUBECONFIG: writeKubeconfig(join(folder, 'admin'), server) } });
    if ('problem' in connected) throw new Error(connected.problem.what);
    const say = (level: string) => (_: unknown, message: string) => void watched.said.push(`${level}: ${message}`);
    const log = { debug: say('debug'), info: say('info'), warn: say('warn') } as unknown as WatchHost['log'];
    const host = {
      cluster: watched.counted(connected.cluster),
      log,
      clock: monotonicClock,
      random: unpredictableRandom(),
      delay: realDelay,
    };
    watched.discovery = make(new kube.KubeSources(host), watched.store);
    watched.discovery.start(() => {
      watched.isSynced = true;
    });
    return watched;
  }

  public stop(): void {
    this.discovery!.stop();
  }

  public statuses() {
    return this.discovery!.statuses();
  }

  public ready(): string {
    const { ready, endpoints } = this.store.snapshot;
    return [...ready]
      .map((slot) => endpoints[slot]!.hostPort)
      .sort()
      .join(' ');
  }

  public becomes(ready: string, limitMs?: number): Promise<unknown> {
    return eventually(`endpoints '${ready}'`, () => this.ready() === ready, limitMs);
  }

  private counted(cluster: ClusterWatch): ClusterWatch {
    return {
      list: (target, signal) => {
        if (target.resource === 'pods') this.lists++;
        return cluster.list(target, signal);
      },
      watch: (target, ...rest) => {
        if (target.resource === 'pods') this.watches++;
        return cluster.watch(target, ...rest);
      },
    };
  }
}

const byPool =
  (namespace: string, name = 'llama', group: PoolGroup = POOL_GROUP) =>
  (sources: InstanceType<typeof kube.KubeSources>, store: EndpointStore) =>
    new kube.PoolDiscovery(sources, { name, namespace, group }, store);

describeWith(['etcd', 'kube-apiserver'], 'discovery through a Kubernetes API', (programs) => {
  let server: ApiServer;
  let count = 0;
  let watched: Watched | undefined;
  const inNamespace = () => new Objects(server, `ns-${++count}`).createNamespace();

  beforeAll(async () => {
    server = await startApiServer(programs);
  }, 90_000);

  afterEach(() => {
    watched?.stop();
    watched = undefined;
  });

  afterAll(() => server?.stop());

  it('waits for a definition that is installed late', async () => {
    const objects = await inNamespace();
    watched = await Watched.start(server, byPool(objects.namespace));
    await eventually('the complaint', () => watched!.said.some((line) => line.includes('AIG543')));
    expect(watched.isSynced).toBe(false);
    await server.installCrds(['inference-extension', 'inference-extension-legacy/v1alpha2']);
    await objects.createPool('llama', [8000]);
    await objects.createReadyPod('a', '10.1.0.1');
    await watched.becomes('10.1.0.1:8000', 30_000);
    expect(watched.isSynced).toBe(true);
  }, 60_000);

  it('follows a pod from its creation to its end', async () => {
    const objects = await inNamespace();
    await objects.createPool('llama', [8000, 8001]);
    watched = await Watched.start(server, byPool(objects.namespace));
    await eventually('the first list', () => watched!.isSynced);
    await objects.createPod('a');
    await objects.setReady('a', '10.1.0.1', false);
    await objects.createReadyPod('b', '10.1.0.2');
    await watched.becomes('10.1.0.2:8000 10.1.0.2:8001');
    await objects.setReady('a', '10.1.0.1', true);
    await watched.becomes('10.1.0.1:8000 10.1.0.1:8001 10.1.0.2:8000 10.1.0.2:8001');
    await objects.patchPod('b', { annotations: { 'llm-d.ai/active-ports': '8001' } });
    await watched.becomes('10.1.0.1:8000 10.1.0.1:8001 10.1.0.2:8001');
    // marked as going: it drains, and is still known
    await objects.deletePod('a', 30);
    await watched.becomes('10.1.0.2:8001');
    expect(watched.store.snapshot.byHostPort.has('10.1.0.1:8000')).toBe(true);
    await objects.deletePod('a', 0);
    await eventually('the end', () => !watched!.store.snapshot.byHostPort.has('10.1.0.1:8000'));
    const before = watched.store.snapshot.endpoints.find((endpoint) => endpoint?.hostPort === '10.1.0.2:8001')!.uid;
    await objects.deletePod('b', 0);
    await objects.createReadyPod('b', '10.1.0.2');
    await watched.becomes('10.1.0.2:8000 10.1.0.2:8001');
    expect(watched.store.snapshot.endpoints.find((endpoint) => endpoint !== undefined)!.uid).not.toBe(before);
    expect([watched.lists, watched.watches]).toEqual([1, 1]);
  }, 30_000);

  it('applies changes of the ports and of the selector', async () => {
    const objects = await inNamespace();
    await objects.createPool('llama', [8000]);
    await objects.createReadyPod('a', '10.1.0.1');
    await objects.createReadyPod('b', '10.1.0.2', { model: 'mistral' });
    watched = await Watched.start(server, byPool(objects.namespace));
    await watched.becomes('10.1.0.1:8000');
    await objects.changePool('llama', [9000], { app: 'llama' });
    await watched.becomes('10.1.0.1:9000');
    await objects.changePool('llama', [9001], { model: 'mistral' });
    await watched.becomes('10.1.0.2:9001');
    await objects.send('DELETE', `/apis/${POOL_GROUP}/v1/namespaces/${objects.namespace}/inferencepools/llama`);
    await watched.becomes('');
    await objects.createPool('llama', [8000]);
    await watched.becomes('10.1.0.1:8000');
  }, 30_000);

  it('reads pools of the older group', async () => {
    const objects = await inNamespace();
    const group = 'inference.networking.x-k8s.io' as const;
    await objects.create(`/apis/${group}/v1alpha2`, 'inferencepools', {
      apiVersion: `${group}/v1alpha2`,
      kind: 'InferencePool',
      metadata: { name: 'llama' },
      spec: { selector: { app: 'llama' }, targetPortNumber: 8000, extensionRef: { name: 'picker' } },
    });
    await objects.createReadyPod('a', '10.1.0.1');
    watched = await Watched.start(server, byPool(objects.namespace, 'llama', group));
    await watched.becomes('10.1.0.1:8000');
  }, 30_000);

  it('reads more pods than a page holds', async () => {
    const objects = await inNamespace();
    await objects.createReadyPod('ready', '10.1.0.1');
    const names = Array.from({ length: 300 }, (_, index) => `p-${index}`);
    await Promise.all(names.map((name) => objects.createPod(name)));
    await objects.setReady('p-299', '10.1.0.2', true);
    watched = await Watched.start(
      server,
      (sources, store) =>
        new kube.SelectorDiscovery(sources, objects.namespace, { matchLabels: { app: 'llama' }, ports: [8000] }, store),
    );
    await watched.becomes('10.1.0.1:8000 10.1.0.2:8000');
  }, 60_000);

  it('serves what it knows while the server is gone for 20 seconds, and catches up', async () => {
    const objects = await inNamespace();
    await objects.createPool('llama', [8000]);
    await objects.createReadyPod('a', '10.1.0.1');
    watched = await Watched.start(server, byPool(objects.namespace));
    await watched.becomes('10.1.0.1:8000');
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    expect(watched.ready()).toBe('10.1.0.1:8000');
    for (const status of watched.statuses()) {
      expect(status).toMatchObject({ isSynced: true, isCurrent: false, lastError: expect.stringContaining('ECONNREFUSED') });
      expect(status.staleSeconds).toBeGreaterThan(15);
    }
    await server.startAgain();
    await objects.createReadyPod('b', '10.1.0.2');
    // The longest waits follow each other if a first try comes before the server has its kinds.
    await watched.becomes('10.1.0.1:8000 10.1.0.2:8000', 45_000);
    await eventually('both followed', () => watched!.statuses().every(({ isCurrent }) => isCurrent), 45_000);
    expect(watched.said.filter((line) => line.includes('followed again'))).toHaveLength(2);
  }, 180_000);

  it('takes the credentials of a pod, and those that replace them', async () => {
    const objects = await inNamespace();
    await objects.createReadyPod('a', '10.1.0.1');
    const place = '/var/run/secrets/kubernetes.io/serviceaccount';
    const root = join(folder, 'pod');
    mkdirSync(join(root, place), { recursive: true });
    writeFileSync(join(root, place, 'ca.crt'), server.certificate);
    writeFileSync(join(root, place, 'token'), 'expired');
    const { hostname, port } = new URL(server.url);
    const connected = await kube.connectCluster({
      env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      root,
    });
    if ('problem' in connected) throw new Error(connected.problem.what);
    const target = { group: '', version: 'v1', resource: 'pods', namespace: objects.namespace };
    const list = () => connected.cluster.list(target, new AbortController().signal);
    const refusal = await list().catch((error: unknown) => error);
    expect([(refusal as Error).message, (refusal as { status?: number }).status]).toEqual(['Unauthorized', 401]);
    writeFileSync(join(root, place, 'token'), server.token);
    expect((await list()).items.map(({ metadata }) => metadata.name)).toEqual(['a']);
  });
});

describeWith(['etcd', 'kube-apiserver'], 'a server that forgets quickly and ends watches early', (programs) => {
  let server: ApiServer;

  beforeAll(async () => {
    const flags = { 'watch-cache': 'false', 'etcd-compaction-interval': '2s', 'min-request-timeout': '3' };
    server = await startApiServer(programs, { flags });
  }, 90_000);

  afterAll(() => server?.stop());

  it('is followed through ended watches and forgotten places without a gap', async () => {
    const objects = await new Objects(server, 'ai').createNamespace();
    const other = await new Objects(server, 'other').createNamespace();
    await objects.createReadyPod('a', '10.1.0.1');
    const watched = await Watched.start(
      server,
      (sources, store) => new kube.SelectorDiscovery(sources, 'ai', { matchLabels: { app: 'llama' }, ports: [8000] }, store),
    );
    try {
      await watched.becomes('10.1.0.1:8000');
      const versions: string[] = [];
      watched.store.onChange(() => versions.push(watched.ready()));
      // changes elsewhere move the server's version on, so that compaction leaves the watch's place behind
      const end = Date.now() + 20_000;
      for (let i = 0; Date.now() < end; i++) {
        await other.createPod(`noise-${i}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(watched.watches).toBeGreaterThan(3);
      expect(watched.lists).toBeGreaterThan(1);
      expect(watched.said.some((line) => line.startsWith('debug: the watch is too old'))).toBe(true);
      expect(watched.said.filter((line) => line.startsWith('warn'))).toEqual([]);
      expect(versions).toEqual([]);
      await objects.createReadyPod('b', '10.1.0.2');
      await watched.becomes('10.1.0.1:8000 10.1.0.2:8000');
    } finally {
      watched.stop();
    }
  }, 60_000);
});
