import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { eventually, freePort, type RunningProcess, startProcess } from '../../components/process';
import type { KubeItem } from '../../support/cluster/kube-client';

const ENVOY_VERSION = '1.40.0';
const GATEWAY_KINDS = [
  'Gateway',
  'HTTPRoute',
  'EnvoyProxy',
  'EnvoyExtensionPolicy',
  'BackendTrafficPolicy',
  'ClientTrafficPolicy',
];
const BACKEND = { group: 'gateway.envoyproxy.io', kind: 'Backend' };

/** Where the pods of a Service are now. @returns `address:port` each; undefined when there is no such Service or port */
export type Addresses = (service: string, port: number) => readonly string[] | undefined;

/**
 * Envoy Gateway without a cluster: it reads manifests from a folder, and programs the Envoy that it starts. What only its Kubernetes
 * provider knows is given in another form: Services become Backends with the addresses of their pods, kept up to date, and its proxy runs
 * on the host. All else is as emitted.
 */
export class EnvoyGatewayHost {
  private readonly manifests: string;
  private written = '';
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly folder: string,
    private readonly objects: readonly KubeItem[],
    private readonly addresses: Addresses,
    private readonly server: RunningProcess,
  ) {
    this.manifests = path.join(folder, 'manifests');
    this.timer = setInterval(() => this.writeBackends(), 200);
  }

  public static async start(
    programs: { readonly envoy: string; readonly 'envoy-gateway': string },
    objects: readonly KubeItem[],
    addresses: Addresses,
  ): Promise<EnvoyGatewayHost> {
    const folder = mkdtempSync(path.join(tmpdir(), 'envoy-gateway-'));
    const program = programs['envoy-gateway'];
    const versions = path.join(folder, `data/envoy-versions/${ENVOY_VERSION}/bin`);
    for (const name of [versions, ...['config', 'state', 'run', 'manifests'].map((part) => path.join(folder, part))]) {
      mkdirSync(name, { recursive: true });
    }
    copyFileSync(programs.envoy, path.join(versions, 'envoy'));
    const kept = objects.filter(({ kind }) => GATEWAY_KINDS.includes(kind)).map(onHost);
    writeFileSync(
      path.join(folder, 'manifests/emitted.yaml'),
      [gatewayClass(kept), ...kept].map((object) => stringify(object)).join('---\n'),
    );
    writeFileSync(path.join(folder, 'envoy-gateway.yaml'), configuration(folder, await freePort()));
    execFileSync(program, ['certgen', '--local', '--config-home', path.join(folder, 'config')], { stdio: 'ignore' });
    const args = ['server', '--config-path', path.join(folder, 'envoy-gateway.yaml')];
    const host = new EnvoyGatewayHost(folder, kept, addresses, await startProcess(program, { args }));
    host.writeBackends();
    try {
      await eventually('Envoy is programmed', async () => (await fetch(`http://${host.envoyAdmin}/ready`)).ok, 60_000);
    } catch (error) {
      await host.stop();
      throw new Error(`${(error as Error).message}\n${host.output.slice(-4_000)}`);
    }
    return host;
  }

  /** Of the Envoy that it started. */
  public get envoyAdmin(): string {
    const [run] = readdirSync(path.join(this.folder, 'run')).map((name) =>
      path.join(this.folder, 'run', name, 'admin-address.txt'),
    );
    return readFileSync(run!, 'utf8').trim();
  }

  /** The newest status of each object, as YAML, by kind and name: without a cluster it goes into the log. */
  public statuses(): ReadonlyMap<string, string> {
    const written = this.server.output().matchAll(/Got new status for (\w+)\n([\s\S]*?)\n\s+\{.*"key": "([^"]+)"\}/g);
    return new Map([...written].map(([, kind, status, key]) => [`${kind} ${key}`, status!]));
  }

  public get output(): string {
    return this.server.output();
  }

  public async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.server.stop('SIGTERM', 10_000);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private writeBackends(): void {
    const wanted = new Map<string, KubeItem>();
    for (const { metadata, spec } of this.objects) {
      for (const { name, service, port } of backendRefs(spec)) {
        const endpoints = this.addresses(service, port) ?? [];
        if (endpoints.length > 0) wanted.set(name, backend(name, metadata.namespace!, endpoints));
      }
    }
    const text = [...wanted.values()].map((object) => stringify(object)).join('---\n');
    if (text === this.written) return;
    this.written = text;
    writeFileSync(path.join(this.folder, 'backends.next'), text);
    renameSync(path.join(this.folder, 'backends.next'), path.join(this.manifests, 'backends.yaml'));
  }
}

function backend(name: string, namespace: string, addresses: readonly string[]): KubeItem {
  const endpoints = addresses.map((text) => {
    const [address, port] = text.split(':');
    return { ip: { address, port: Number(port) } };
  });
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'Backend', metadata: { name, namespace }, spec: { endpoints } };
}

/** References to Services become references to Backends named after the Service and its port. */
function onHost(object: KubeItem): KubeItem {
  const changed = structuredClone(object) as any;
  for (const rule of [...(changed.spec.rules ?? []), ...(changed.spec.extProc ?? [])]) {
    rule.backendRefs = rule.backendRefs.map(({ name, port, ...rest }: any) => ({ ...rest, ...BACKEND, name: `${name}-${port}` }));
  }
  for (const listener of changed.spec.listeners ?? []) {
    // fetch refuses 10080, which a pod of the proxy would open for 80
    if (listener.port < 1024) listener.port += 20_000;
  }
  if (object.kind === 'EnvoyProxy') {
    changed.spec = { ...changed.spec, provider: { type: 'Host', host: { envoyVersion: ENVOY_VERSION } }, concurrency: 1 };
  }
  return changed;
}

function backendRefs(spec: any): { name: string; service: string; port: number }[] {
  return [...(spec.rules ?? []), ...(spec.extProc ?? [])]
    .flatMap(({ backendRefs: refs }) => refs)
    .map(({ name }: { name: string }) => {
      const [, service, port] = /^(.*)-(\d+)$/.exec(name)!;
      return { name, service: service!, port: Number(port) };
    });
}

function gatewayClass(objects: readonly KubeItem[]): KubeItem {
  const gateway = objects.find(({ kind }) => kind === 'Gateway')!;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: gateway.spec.gatewayClassName },
    spec: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
  };
}

function configuration(folder: string, adminPort: number): string {
  const of = (name: string): string => path.join(folder, name);
  return stringify({
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyGateway',
    gateway: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
    provider: {
      type: 'Custom',
      custom: {
        resource: { type: 'File', file: { paths: [of('manifests')] } },
        infrastructure: {
          type: 'Host',
          host: { dataHome: of('data'), configHome: of('config'), stateHome: of('state'), runtimeDir: of('run') },
        },
      },
    },
    admin: { address: { host: '127.0.0.1', port: adminPort } },
    telemetry: { metrics: { prometheus: { disable: true } } },
    extensionApis: { enableBackend: true },
  });
}
