import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { engineArguments } from '../../../src/cli/up/plan/vllm-arguments';
import { bundled } from '../../components/bundle';
import type { KubeItem } from './kube-client';
import { fieldOf, type Mount } from './pod-files';

/** What stands for the node, and for the images that its containers name. */
export interface Machine {
  readonly envoy: string;
  readonly dnsPort: number;
  /** Simulated milliseconds of engines in one of the wall clock. */
  readonly engineSpeed: number;
  /** File that the client library reads in the place of the service account's folder. */
  readonly kubeconfig: (tokenFile: string) => string;
}

export interface ContainerProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The program of a container. A container has its own files and addresses, a process of this machine has not: where the manifests name a
 * mounted folder stands the folder that holds its files here, and where they say "this pod" (127.0.0.1) or "every address" stands the
 * pod's own address. Nothing else is changed.
 */
export function programOf(
  machine: Machine,
  pod: KubeItem,
  container: any,
  mounts: readonly Mount[],
  ip: string,
): ContainerProgram {
  const local = (text: string): string => withFolders(text, mounts);
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (value !== undefined) env[name] = local(value);
    else if (valueFrom.fieldRef !== undefined) env[name] = fieldOf(pod, valueFrom.fieldRef.fieldPath);
  }
  const image = String(container.image);
  if (image.startsWith('vllm/')) return { ...engineProgram(machine, pod, container, ip), env: {} };
  const args = [...(container.command ?? []).slice(1), ...(container.args ?? [])].map(local);
  for (const { folder } of mounts) localizeFiles(folder, local);
  if (image.includes('envoyproxy/envoy')) {
    const config = args[args.indexOf('--config-path') + 1]!;
    writeFileSync(config, withAddresses(readFileSync(config, 'utf8'), ip, machine.dnsPort));
    return { program: machine.envoy, args: [...args, '--use-dynamic-base-id', '--concurrency', '1'], env };
  }
  if (container.command?.[0] !== 'node') throw new Error(`the stand-in for the kubelet cannot run ${image}`);
  const token = mounts.find(({ containerPath }) => containerPath === TOKEN_FOLDER);
  if (token !== undefined) env['KUBECONFIG'] = machine.kubeconfig(path.join(token.folder, 'token'));
  return { program: process.execPath, args: [...args, `--bind-address=${ip}`, `--debug-address=${ip}:9091`], env };
}

function engineProgram(machine: Machine, pod: KubeItem, container: any, ip: string): Omit<ContainerProgram, 'env'> {
  const { models, adapters, port, profile } = engineArguments(container);
  const args = [
    bundled('simulation/engine/main.ts'),
    ...['--host', ip, '--port', String(port ?? 8000), '--pod-name', pod.metadata.name, '--speed', String(machine.engineSpeed)],
    ...models.flatMap((model) => ['--model', model]),
    ...Object.entries(adapters).flatMap(([name, source]) => ['--adapter', `${name}=${source}`]),
    ...Object.entries(profile).flatMap(([field, value]) => ['--profile', `${field}=${value}`]),
  ];
  return { program: process.execPath, args };
}

function withFolders(text: string, mounts: readonly Mount[]): string {
  // the longest first: /etc/picker is the beginning of /etc/picker-api-keys
  const longest = [...mounts].sort((a, b) => b.containerPath.length - a.containerPath.length);
  return longest.reduce(
    (done, { containerPath, folder }) => done.replaceAll(new RegExp(`${containerPath}(?=[/"'\\s]|$)`, 'g'), folder),
    text,
  );
}

function localizeFiles(folder: string, local: (text: string) => string): void {
  for (const name of readdirSync(folder)) {
    if (!/\.(ya?ml|json)$/.test(name)) continue;
    const file = path.join(folder, name);
    writeFileSync(file, local(readFileSync(file, 'utf8')));
  }
}

function withAddresses(bootstrap: string, ip: string, dnsPort: number): string {
  const resolver = {
    name: 'envoy.network.dns_resolver.cares',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
      resolvers: [{ socket_address: { address: '127.0.0.1', port_value: dnsPort } }],
    },
  };
  const own = bootstrap.replaceAll(/(\baddress: )(?:127\.0\.0\.1|0\.0\.0\.0)$/gm, `$1${ip}`);
  return `${own}\ntyped_dns_resolver_config: ${JSON.stringify(resolver)}\n`;
}
