import { writeFileSync } from 'node:fs';
import type { ApiServer } from '../apiserver';

export const POOL_GROUP = 'inference.networking.k8s.io' as const;
const MERGE = 'application/merge-patch+json';

/** Objects of one namespace, made as an administrator; every answer of failure is an error. */
export class Objects {
  public constructor(
    private readonly server: ApiServer,
    public readonly namespace: string,
  ) {}

  public async createNamespace(): Promise<this> {
    await this.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } });
    return this;
  }

  public create(
    base: string,
    resource: string,
    object: { readonly metadata: object; readonly [field: string]: unknown },
  ): Promise<string> {
    return this.send('POST', `${base}/namespaces/${this.namespace}/${resource}`, object);
  }

  /** A pod on a node, which nobody runs. */
  public async createPod(name: string, labels: Record<string, string> = { app: 'llama' }): Promise<void> {
    const spec = { nodeName: 'node', containers: [{ name: 'engine', image: 'engine' }] };
    await this.create('/api/v1', 'pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec });
  }

  /** What a kubelet would say. */
  public async setReady(name: string, ip: string, isReady: boolean): Promise<void> {
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions };
    await this.send('PATCH', `/api/v1/namespaces/${this.namespace}/pods/${name}/status`, { status }, MERGE);
  }

  public async createReadyPod(name: string, ip: string, labels?: Record<string, string>): Promise<void> {
    await this.createPod(name, labels);
    await this.setReady(name, ip, true);
  }

  /** @param graceSeconds 0 removes it at once; else it is only marked, because no kubelet ends it */
  public async deletePod(name: string, graceSeconds: number): Promise<void> {
    await this.send('DELETE', `/api/v1/namespaces/${this.namespace}/pods/${name}?gracePeriodSeconds=${graceSeconds}`);
  }

  public async patchPod(name: string, metadata: object): Promise<void> {
    await this.send('PATCH', `/api/v1/namespaces/${this.namespace}/pods/${name}`, { metadata }, MERGE);
  }

  public async createPool(
    name: string,
    ports: readonly number[],
    matchLabels: Record<string, string> = { app: 'llama' },
  ): Promise<void> {
    await this.create(`/apis/${POOL_GROUP}/v1`, 'inferencepools', {
      apiVersion: `${POOL_GROUP}/v1`,
      kind: 'InferencePool',
      metadata: { name },
      spec: { ...poolSpec(ports, matchLabels), endpointPickerRef: { name: 'picker', port: { number: 9002 } } },
    });
  }

  public async changePool(name: string, ports: readonly number[], matchLabels: Record<string, string>): Promise<void> {
    const path = `/apis/${POOL_GROUP}/v1/namespaces/${this.namespace}/inferencepools/${name}`;
    // null removes the labels that a merge would keep
    const { selector, targetPorts } = poolSpec(ports, matchLabels);
    await this.send(
      'PATCH',
      path,
      { spec: { selector: { matchLabels: { app: null, ...selector.matchLabels } }, targetPorts } },
      MERGE,
    );
  }

  public async send(method: string, url: string, body?: unknown, contentType?: string): Promise<string> {
    const answer = await this.server.send(method, url, body, contentType);
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${answer.body}`);
    return answer.body;
  }
}

/** A file that KUBECONFIG can name. @param token @default the administrator's */
export function writeKubeconfig(path: string, server: ApiServer, token = server.token): string {
  const cluster = { server: server.url, 'certificate-authority-data': server.certificate.toString('base64') };
  writeFileSync(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token } }],
    }),
    { mode: 0o600 },
  );
  return path;
}

function poolSpec(ports: readonly number[], matchLabels: Record<string, string>) {
  return { selector: { matchLabels }, targetPorts: ports.map((number) => ({ number })) };
}
