import { describeWith } from '../components/describe-with';
import { eventually } from '../components/process';
import type { Cluster } from '../support/cluster/cluster';
import type { KubeItem } from '../support/cluster/kube-client';
import { EXAMPLES, synthExample } from '../support/examples';
import { guideRequest, KEY, NAMESPACE, startGuide } from './support/guide';
import { Load } from './support/load';

jest.setTimeout(300_000);

/** A machine that others use, too, must not fail a test. */
const PATIENCE_MS = 60_000;

describeWith(['etcd', 'kube-apiserver', 'envoy'], 'the guide in a cluster', (programs) => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startGuide(programs);
    // the proxy looks at the names of its engines every second
    for (const model of ['llama-3-70b', 'mistral-7b-instruct']) {
      await eventually(`${model} is served`, async () => (await ask(model)).status === 200, PATIENCE_MS);
    }
  });
  afterAll(() => cluster?.stop());

  const url = (): string => `http://${cluster.addresses('ai-gateway-proxy', 'http')[0]}`;
  const ask = (model: string, headers: Record<string, string> = {}): Promise<Answer> =>
    chat(url(), model, { authorization: `Bearer ${KEY}`, ...headers });

  it('the body’s model, or the class header, chooses the pool', async () => {
    expect(await ask('llama-3-70b')).toEqual({ status: 200, pod: expect.stringMatching(/^llama-/) });
    expect(await ask('mistral-7b-instruct')).toEqual({ status: 200, pod: expect.stringMatching(/^mistral-/) });
    const small = await ask('llama-3-70b', { 'x-model-class': 'small' });
    expect(small).toEqual({ status: 200, pod: expect.stringMatching(/^mistral-/) });
    expect((await ask('gpt-9')).status).toBe(404);
    expect((await chat(url(), 'llama-3-70b')).status).toBe(401);
  });

  it('the account of the picker may read its pools and pods, and nothing more', async () => {
    const [pod] = cluster.podsOf('ai-gateway-proxy');
    const may = (verb: string, resource: string, name = ''): Promise<boolean> =>
      allowed(cluster, 'ai-gateway-proxy', { verb, resource, name });
    expect(pod!.container('endpoint-picker').output).not.toMatch(/forbidden|AIG5\d\d/);
    expect(await may('watch', 'pods')).toBe(true);
    expect(await may('list', 'inferencepools', 'llama-3-70b')).toBe(true);
    for (const [verb, resource, name] of [
      ['delete', 'pods', ''],
      ['get', 'secrets', 'client-keys'],
      ['list', 'configmaps', ''],
      ['list', 'inferencepools', 'of-somebody-else'],
      ['update', 'inferencepools', 'llama-3-70b'],
    ] as const) {
      expect([verb, resource, await may(verb, resource, name)]).toEqual([verb, resource, false]);
    }
  });

  // the names of namespaces differ, so that all of them fit beside each other
  it.each(EXAMPLES)('example %s is taken for every gateway', async (name) => {
    for (const gateway of ['envoy-gateway', 'istio', 'kong', 'some-other-class']) {
      const objects = (synthExample(name, { GATEWAY: gateway }).objects as readonly KubeItem[]).filter(
        ({ kind }) => kind !== 'Namespace',
      );
      const suffix = `-${name}-${gateway}`;
      const namespaces = new Set(objects.map(({ metadata }) => `${metadata.namespace}${suffix}`));
      await cluster.apply(
        [...namespaces].map((namespace) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })),
      );
      await cluster.apply(
        objects.map((object) => ({
          ...object,
          metadata: { ...object.metadata, namespace: `${object.metadata.namespace}${suffix}` },
        })),
      );
    }
  });

  it('more engines take their share, and engines that leave finish what they have', async () => {
    const load = Load.start({
      perSecond: 20,
      targets: () => cluster.addresses('ai-gateway-proxy', 'http'),
      request: guideRequest,
    });
    await cluster.scale('mistral', 3);
    await cluster.settled();
    await eventually(
      'every engine answers',
      () => load.pods().filter((name) => name.startsWith('mistral-')).length === 3,
      PATIENCE_MS,
    );
    await cluster.scale('mistral', 1);
    await cluster.settled();
    await cluster.scale('llama', 0);
    await eventually('nobody serves the model', async () => (await ask('llama-3-70b')).status === 503, PATIENCE_MS);
    await cluster.scale('llama', 3);
    await cluster.settled();
    await eventually('it is served again', async () => (await ask('llama-3-70b')).status === 200, PATIENCE_MS);
    const { failures } = await load.stop();
    // only the model without an engine was refused
    expect(failures.filter(({ model, status }) => !(model === 'llama-3-70b' && status === 503))).toEqual([]);
  });

  it('a rollout of engines and of the proxy with its picker fails no request', async () => {
    // one engine alone cannot be replaced without a gap
    await cluster.scale('mistral', 2);
    await cluster.settled();
    const load = Load.start({
      perSecond: 20,
      targets: () => cluster.addresses('ai-gateway-proxy', 'http'),
      request: guideRequest,
    });
    await cluster.restart('mistral');
    await cluster.restart('ai-gateway-proxy');
    await cluster.settled();
    await cluster.restart('llama');
    await cluster.settled();
    const { sent, failures } = await load.stop();
    expect(sent).toBeGreaterThan(100);
    expect(failures).toEqual([]);
  });
});

interface Answer {
  readonly status: number;
  readonly pod: string | null;
}

async function chat(url: string, model: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, max_tokens: 4, messages: [{ role: 'user', content: 'hello' }] }),
  });
  await answer.arrayBuffer();
  return { status: answer.status, pod: answer.headers.get('x-inference-pod') };
}

/** The API server's own word on what an account may do. */
async function allowed(
  { kube }: Cluster,
  account: string,
  { verb, resource, name }: { readonly verb: string; readonly resource: string; readonly name: string },
): Promise<boolean> {
  const group = resource === 'inferencepools' ? 'inference.networking.k8s.io' : '';
  const answer = await kube.send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${NAMESPACE}:${account}`,
      resourceAttributes: { namespace: NAMESPACE, group, verb, resource, name },
    },
  });
  return (JSON.parse(answer) as { status: { allowed: boolean } }).status.allowed;
}
