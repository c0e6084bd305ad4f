import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointStore } from '../../../src/picker/datastore/endpoint-store';
import { ModelRewrites } from '../../../src/picker/datastore/model-rewrites';
import { Objectives } from '../../../src/picker/datastore/objectives';
import { type ClusterWatch, targetPath, type WatchTarget } from '../../../src/picker/kube/cluster-watch';
import { realDelay, type WatchHost } from '../../../src/picker/kube/watch-host';
import { monotonicClock } from '../../../src/shared/clock';
import { SeededRandom } from '../../../src/shared/random';
import { describeWith } from '../../components/describe-with';
import { eventually } from '../../components/process';
import { aPicker, aPool } from '../../unit/constructs/picker/support';
import { type ApiServer, startApiServer } from '../apiserver';
import { ApiServerClient } from '../apiserver-client';
import { loadKube } from './kube-bundle';
import { Objects, POOL_GROUP, writeKubeconfig } from './objects';
import { pickerToken } from './service-account';

const kube = loadKube();
const folder = mkdtempSync(join(tmpdir(), 'kube-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeWith(['etcd', 'kube-apiserver'], "a ServiceAccount with the construct's Role", (programs) => {
  let server: ApiServer;
  let objects: Objects;
  let cluster: ClusterWatch;

  beforeAll(async () => {
    server = await startApiServer(programs);
    await server.installCrds(['inference-extension', 'llm-d', 'inference-extension-legacy/x-k8s.io']);
    objects = await new Objects(server, 'llm').createNamespace();
    const token = await pickerToken(objects, aPicker({ pool: aPool() }).objects());
    cluster = await connect(token);
    await objects.createPool('llama-pool', [8000]);
    await objects.createPool('other-pool', [8000]);
    await objects.createReadyPod('a', '10.1.0.1');
  }, 120_000);

  afterAll(() => server?.stop());

  async function connect(token: string): Promise<ClusterWatch> {
    const connected = await kube.connectCluster({ env: { KUBECONFIG: writeKubeconfig(join(folder, 'account'), server, token) } });
    if ('problem' in connected) throw new Error(connected.problem.what);
    return connected.cluster;
  }

  function hostOf(watched: ClusterWatch, said: string[]): WatchHost {
    const say = (_: unknown, message: string) => void said.push(message);
    const log = { debug: () => {}, info: say, warn: say } as unknown as WatchHost['log'];
    return { cluster: watched, log, clock: monotonicClock, random: new SeededRandom(1), delay: realDelay };
  }

  it('is enough for the pool, its pods, the objectives and the rewrites', async () => {
    const said: string[] = [];
    const host = hostOf(cluster, said);
    const pool = { name: 'llama-pool', namespace: 'llm', group: POOL_GROUP };
    const store = new EndpointStore();
    const discovery = new kube.PoolDiscovery(new kube.KubeSources(host), pool, store);
    const objectives = new Objectives();
    const policies = new kube.LlmdPolicies(host, pool, objectives, new ModelRewrites(new SeededRandom(1)));
    discovery.start(() => {});
    policies.start();
    const statuses = () => [...discovery.statuses(), ...policies.statuses()];
    try {
      await eventually('all followed', () => statuses().length === 6 && statuses().every(({ isCurrent }) => isCurrent));
      expect([...store.snapshot.byHostPort.keys()]).toEqual(['10.1.0.1:8000']);
      await objects.create('/apis/llm-d.ai/v1alpha2', 'inferenceobjectives', {
        apiVersion: 'llm-d.ai/v1alpha2',
        kind: 'InferenceObjective',
        metadata: { name: 'batch' },
        spec: { priority: -5, poolRef: { name: 'llama-pool', group: POOL_GROUP } },
      });
      await eventually('the priority', () => objectives.priorityOf('batch') === -5);
      expect(said).toEqual([]);
    } finally {
      discovery.stop();
      policies.stop();
    }
  }, 30_000);

  const core = { group: '', version: 'v1', namespace: 'llm' };
  const pools = { group: POOL_GROUP, version: 'v1', resource: 'inferencepools', namespace: 'llm' };
  it.each<[string, WatchTarget]>([
    ['all pools', pools],
    ['another pool', { ...pools, name: 'other-pool' }],
    ['pods of another namespace', { ...core, resource: 'pods', namespace: 'default' }],
    ['secrets', { ...core, resource: 'secrets' }],
    ['config maps', { ...core, resource: 'configmaps' }],
  ])('is not enough for %s', async (_, target) => {
    const refusal = await cluster.list(target, new AbortController().signal).catch((error: unknown) => error);
    expect((refusal as { status?: number }).status).toBe(403);
  });

  it('cannot change what it reads', async () => {
    const account = new ApiServerClient(Number(new URL(server.url).port), await pickerToken(objects, []), server.certificate);
    const url = `${targetPath({ ...core, resource: 'pods' })}/a`;
    expect((await account.send('DELETE', url)).status).toBe(403);
    account.close();
    expect((await server.send('GET', url)).status).toBe(200);
  });

  it('needs every rule: without one, the log names what is missing and how to grant it', async () => {
    const role = JSON.parse(await objects.send('GET', '/apis/rbac.authorization.k8s.io/v1/namespaces/llm/roles/picker')) as {
      rules: { resources: string[] }[];
    };
    for (const [index, { resources }] of role.rules.entries()) {
      const rules = role.rules.filter((_, other) => other !== index);
      await objects.send('PUT', '/apis/rbac.authorization.k8s.io/v1/namespaces/llm/roles/picker', {
        ...role,
        metadata: { name: 'picker', namespace: 'llm' },
        rules,
      });
      const said: string[] = [];
      const host = hostOf(cluster, said);
      const pool = { name: 'llama-pool', namespace: 'llm', group: POOL_GROUP };
      const parts = [
        new kube.PoolDiscovery(new kube.KubeSources(host), pool, new EndpointStore()),
        new kube.LlmdPolicies(host, pool, new Objectives(), new ModelRewrites(new SeededRandom(1))),
      ];
      for (const part of parts) part.start(() => {});
      try {
        const told = () =>
          resources.every((resource) =>
            said.some((line) => line.startsWith('AIG542') && line.includes(`grant get, list and watch on ${resource}`)),
          );
        await eventually(`a complaint about ${resources.join()}`, told, 10_000);
      } finally {
        for (const part of parts) part.stop();
      }
    }
  }, 60_000);
});
