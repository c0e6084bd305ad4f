import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '../../components/process';
import { type ApiServer, startApiServer } from '../../conformance/apiserver';
import { ClusterDns } from './cluster-dns';
import { HASH_LABEL, isReady, reconcileDeployment, templateHash } from './deployments';
import { KubeClient, type KubeItem } from './kube-client';
import { Kubelet } from './kubelet';
import type { RunningPod } from './running-pod';

export interface ClusterPrograms {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly envoy: string;
}

export interface ClusterOptions {
  readonly namespace: string;
  /** Folders of imports/crds. */
  readonly crds: readonly string[];
  /** @default 20 */
  readonly engineSpeed?: number;
}

const LOOK_MS = 150;
const READY_LIMIT_MS = 120_000;

/**
 * A cluster of one namespace on this machine: a real API server, and small stand-ins for what acts on its objects: the controller of
 * Deployments, the kubelet, the DNS. Pods run the real picker from the ConfigMaps that were applied, with the token of the ServiceAccount
 * that was applied, and real Envoy with the bootstrap that was applied; engines are simulated. What a gateway would do is left to the test:
 * it sends to `addresses` of a Service.
 */
export class Cluster {
  private readonly loop: Promise<void>;
  private isStopping = false;
  private services: readonly KubeItem[] = [];
  private pods: readonly KubeItem[] = [];

  private constructor(
    public readonly server: ApiServer,
    public readonly kube: KubeClient,
    private readonly namespace: string,
    private readonly kubelet: Kubelet,
    private readonly dns: () => void,
    private readonly folder: string,
  ) {
    this.loop = this.run();
  }

  private static async start(programs: ClusterPrograms, options: ClusterOptions): Promise<Cluster> {
    const folder = mkdtempSync(path.join(tmpdir(), 'cluster-'));
    const server = await startApiServer(programs);
    await server.installCrds(options.crds);
    const kube = new KubeClient(server);
    const dns = await ClusterDns.start((name) => cluster.lookup(name));
    const machine = {
      envoy: programs.envoy,
      dnsPort: dns.port,
      engineSpeed: options.engineSpeed ?? 20,
      kubeconfig: (tokenFile: string) => writeKubeconfig(server, tokenFile),
    };
    const cluster: Cluster = new Cluster(
      server,
      kube,
      options.namespace,
      new Kubelet(kube, machine, folder),
      () => dns.stop(),
      folder,
    );
    return cluster;
  }

  /** Starts one, applies objects and waits until all of them run; nothing is left when that fails. */
  public static async running(
    programs: ClusterPrograms,
    options: ClusterOptions,
    objects: readonly KubeItem[],
  ): Promise<Cluster> {
    const cluster = await Cluster.start(programs, options);
    try {
      await cluster.apply(objects);
      await cluster.settled();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Applies objects in their order, Namespaces first; each gets the ConfigMap that a controller makes in it. */
  public async apply(objects: readonly KubeItem[]): Promise<void> {
    const isNamespace = ({ kind }: KubeItem): boolean => kind === 'Namespace';
    for (const object of objects.filter(isNamespace)) {
      await this.kube.apply(object);
      const metadata = { name: 'kube-root-ca.crt', namespace: object.metadata.name };
      const data = { 'ca.crt': this.server.certificate.toString('utf8') };
      await this.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    }
    for (const object of objects.filter((candidate) => !isNamespace(candidate))) await this.kube.apply(object);
  }

  /** Waits until each Deployment has its replicas, all of the newest template, all ready, and nothing is on its way out. */
  public async settled(limitMs = READY_LIMIT_MS): Promise<void> {
    await eventually(
      'all Deployments are rolled out',
      async () => {
        const deployments = await this.kube.list('apps/v1', 'Deployment', this.namespace);
        const wanted = deployments.reduce((sum, { spec }) => sum + spec.replicas, 0);
        const hashes = new Set(deployments.map(templateHash));
        const isCurrent = (pod: KubeItem): boolean =>
          isReady(pod) && !pod.metadata.deletionTimestamp && hashes.has(pod.metadata.labels![HASH_LABEL]!);
        if (this.pods.length === wanted && this.pods.every(isCurrent)) return true;
        throw new Error(this.kubelet.running.map((pod) => pod.describe()).join('\n'));
      },
      limitMs,
      100,
    );
  }

  /** `address:port` of the ready pods behind a port of a Service, as a gateway knows them. @param port its name */
  public addresses(service: string, port: string): readonly string[] {
    return this.addressesOf(service, ({ name }) => name === port) ?? [];
  }

  /** The same for the port of a number; undefined when there is no such Service or port. */
  public addressesAt(service: string, port: number): readonly string[] | undefined {
    return this.addressesOf(service, (candidate) => candidate.port === port);
  }

  /** Running pods of a Deployment that are not on their way out. */
  public podsOf(deployment: string): readonly RunningPod[] {
    const alive = new Set(this.pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name));
    return this.kubelet.running.filter(({ name }) => name.startsWith(`${deployment}-`) && alive.has(name));
  }

  public async scale(deployment: string, replicas: number): Promise<void> {
    await this.patch(deployment, { spec: { replicas } });
  }

  /** As `kubectl rollout restart` does it. */
  public async restart(deployment: string): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
    await this.patch(deployment, { spec: { template: { metadata: { annotations } } } });
  }

  public async stop(): Promise<void> {
    this.isStopping = true;
    await this.loop;
    await this.kubelet.stop();
    this.dns();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async patch(deployment: string, change: object): Promise<void> {
    const object = await this.kube.get('apps/v1', 'Deployment', this.namespace, deployment);
    await this.kube.patch(object!, change);
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      await this.look().catch(() => undefined); // the API server is away: everything stays as it is
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private async look(): Promise<void> {
    const { kube, namespace } = this;
    this.services = await kube.list('v1', 'Service', namespace);
    this.pods = await kube.list('v1', 'Pod', namespace);
    this.kubelet.sync(this.pods);
    for (const deployment of await kube.list('apps/v1', 'Deployment', namespace)) {
      await reconcileDeployment(kube, deployment, this.pods);
    }
  }

  private addressesOf(
    service: string,
    isWanted: (port: { readonly name: string; readonly port: number }) => boolean,
  ): string[] | undefined {
    const spec = this.services.find(({ metadata }) => metadata.name === service)?.spec;
    const wanted = spec?.ports.find(isWanted);
    if (wanted === undefined) return undefined;
    const { targetPort = wanted.port } = wanted;
    return this.readyPods(spec.selector).map((pod) => {
      const ports = pod.spec.containers.flatMap((container: any) => container.ports ?? []);
      const number =
        typeof targetPort === 'number' ? targetPort : ports.find(({ name }: any) => name === targetPort).containerPort;
      return `${pod.status.podIP}:${number}`;
    });
  }

  private lookup(name: string): readonly string[] | undefined {
    const service = this.services.find(({ metadata }) => name === `${metadata.name}.${this.namespace}.svc.cluster.local`);
    if (service === undefined) return undefined;
    return this.readyPods(service.spec.selector).map(({ status }) => status.podIP);
  }

  private readyPods(selector: Readonly<Record<string, string>>): KubeItem[] {
    return this.pods.filter(
      (pod) =>
        isReady(pod) &&
        !pod.metadata.deletionTimestamp &&
        Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value),
    );
  }
}

/** The service account's folder as a file: its token, and the server that `KUBERNETES_SERVICE_HOST` would name. */
function writeKubeconfig(server: ApiServer, tokenFile: string): string {
  const file = path.join(path.dirname(tokenFile), 'kubeconfig.json');
  const cluster = { server: server.url, 'certificate-authority-data': server.certificate.toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'pod',
    contexts: [{ name: 'pod', context: { cluster: 'pod', user: 'pod' } }],
    clusters: [{ name: 'pod', cluster }],
    // what the client library makes of the folder when it finds it
    users: [{ name: 'pod', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } }],
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
