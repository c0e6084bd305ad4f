import { describeWith } from '../../components/describe-with';
import { eventually } from '../../components/process';
import { Cluster } from '../../support/cluster/cluster';
import type { KubeItem } from '../../support/cluster/kube-client';
import { synthExample } from '../../support/examples';
import { EnvoyGatewayHost } from '../support/envoy-gateway-host';
import { secret } from '../support/guide';
import { Load } from '../support/load';

jest.setTimeout(300_000);

const NAMESPACE = 'ai-inference';
/** Port 80 of the Gateway. */
const ADDRESS = '127.0.0.1:20080';
const MODEL = 'llama-3-70b';

describeWith(['etcd', 'kube-apiserver', 'envoy', 'envoy-gateway'], 'the smallest example behind Envoy Gateway', (programs) => {
  let cluster: Cluster;
  let gateway: EnvoyGatewayHost;

  beforeAll(async () => {
    const objects = synthExample('minimal', { GATEWAY: 'envoy-gateway' }).objects as readonly KubeItem[];
    const namespace: KubeItem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    const token = secret(NAMESPACE, 'hugging-face', { token: 'hf-not-a-secret' });
    const options = { namespace: NAMESPACE, crds: ['gateway-api', 'inference-extension', 'envoy-gateway'] };
    cluster = await Cluster.running(programs, options, [namespace, token, ...objects]);
    gateway = await EnvoyGatewayHost.start(programs, objects, (service, port) => cluster.addressesAt(service, port));
    await eventually('the route is served', async () => (await ask()).status === 200, 60_000);
  });
  afterAll(async () => {
    await gateway?.stop();
    await cluster?.stop();
  });

  async function ask(headers: Record<string, string> = {}, content = 'hello'): Promise<{ status: number; pod: string | null }> {
    const answer = await fetch(`http://${ADDRESS}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: MODEL, max_tokens: 4, messages: [{ role: 'user', content }] }),
    });
    await answer.arrayBuffer();
    return { status: answer.status, pod: answer.headers.get('x-inference-pod') };
  }

  /** What its pickers decided last, newest first. */
  async function decisions(): Promise<string[]> {
    const pages = await Promise.all(
      cluster.podsOf('llama-pool-picker').map(async ({ ip }) => {
        const page = (await (await fetch(`http://${ip}:9091/debug/decisions`)).json()) as { decisions: { result: string }[] };
        return page.decisions.map(({ result }) => result.split(',')[0]!.split(':')[0]!);
      }),
    );
    return pages.flat();
  }

  const load = (): Load =>
    Load.start({
      perSecond: 30,
      targets: () => [ADDRESS],
      request: (index) => ({ model: MODEL, stream: index % 2 === 0, prompt: `request ${index}`, maxTokens: 32 }),
    });

  it('accepts all of its objects', () => {
    const statuses = gateway.statuses();
    const kinds = ['Gateway', 'HTTPRoute', 'EnvoyExtensionPolicy', 'BackendTrafficPolicy', 'ClientTrafficPolicy', 'Backend'];
    expect(kinds.filter((kind) => ![...statuses.keys()].some((key) => key.startsWith(`${kind} `)))).toEqual([]);
    for (const [object, status] of statuses) {
      // nobody gives a Gateway an address on a host
      const faults = status
        .split(/\n(?= *- )/)
        .filter((text) => text.includes('status: "False"') && !text.includes('AddressNotAssigned'));
      expect([object, faults]).toEqual([object, []]);
      expect([object, status]).toEqual([object, expect.stringContaining('type: Accepted')]);
    }
  });

  it('sends every request where a picker said, whatever the client asks for', async () => {
    const [chosen] = cluster.podsOf('llama');
    const prompt = 'A long beginning that an engine keeps in its cache. '.repeat(40);
    for (let sent = 0; sent < 6; sent++) {
      const answer = await ask({ 'x-gateway-destination-endpoint': `${chosen!.ip}:8000` }, `${sent % 3} ${prompt}`);
      expect(answer.status).toBe(200);
    }
    const running = load();
    await eventually('answers', () => running.answered > 60);
    expect((await running.stop()).failures).toEqual([]);
    const picked = new Map<string, number>();
    for (const ip of await decisions()) picked.set(ip, (picked.get(ip) ?? 0) + 1);
    for (const { ip, name } of cluster.podsOf('llama')) {
      // those of the load, and the others that this test and its start have sent
      expect(picked.get(ip) ?? 0).toBeGreaterThanOrEqual(running.answersOf(name));
    }
  });

  it('a picker that is killed costs some requests, until the other one has them all', async () => {
    const [victim] = cluster.podsOf('llama-pool-picker');
    const running = load();
    await eventually('answers', () => running.answered > 30);
    const picker = victim!.container('endpoint-picker');
    const { restarts } = picker;
    picker.signal('SIGKILL');
    await eventually('it is back', () => picker.restarts > restarts && picker.isReady, 60_000);
    const backMs = Date.now();
    const from = running.answered;
    await eventually('answers', () => running.answered - from > 60, 60_000);
    const { failures, sent } = await running.stop();
    expect(failures.filter(({ sentMs }) => sentMs > backMs)).toEqual([]);
    expect(failures.filter(({ status }) => status !== undefined && ![200, 500, 503].includes(status))).toEqual([]);
    expect(failures.length).toBeLessThan(sent / 2);
  });

  it('a rollout of the pickers costs nothing', async () => {
    const running = load();
    await cluster.restart('llama-pool-picker');
    await cluster.settled();
    expect((await running.stop()).failures).toEqual([]);
  });

  it('more engines take their share, and engines that leave finish what they have', async () => {
    const running = load();
    await cluster.scale('llama', 4);
    await cluster.settled();
    await eventually('every engine answers', () => running.pods().length >= 4, 60_000);
    await cluster.scale('llama', 2);
    await cluster.settled();
    expect((await running.stop()).failures).toEqual([]);
  });
});
