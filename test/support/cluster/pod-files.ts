import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { KubeClient, KubeItem } from './kube-client';

/** A folder that a container sees at another path. */
export interface Mount {
  readonly containerPath: string;
  readonly folder: string;
}

type Item = { readonly key: string; readonly path: string };

/**
 * Writes the volumes of a pod below `folder`, as a kubelet does. @returns the folder of each volume by name
 * @throws when an object that a volume needs does not exist: a kubelet lets such a pod wait
 */
export async function writeVolumes(kube: KubeClient, pod: KubeItem, folder: string): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<string, string>();
  for (const volume of pod.spec.volumes ?? []) {
    const target = path.join(folder, volume.name);
    mkdirSync(target, { recursive: true });
    folders.set(volume.name, target);
    const sources = [volume, ...(volume.projected?.sources ?? [])];
    for (const { configMap, secret, serviceAccountToken, downwardAPI } of sources) {
      if (configMap !== undefined) await writeKeys(kube, pod, 'ConfigMap', configMap.name, configMap.items, target);
      if (secret !== undefined) await writeKeys(kube, pod, 'Secret', secret.secretName ?? secret.name, secret.items, target);
      if (serviceAccountToken !== undefined) {
        const { path: file, expirationSeconds } = serviceAccountToken;
        write(target, file, await token(kube, pod, expirationSeconds));
      }
      for (const item of downwardAPI?.items ?? []) write(target, item.path, fieldOf(pod, item.fieldRef.fieldPath));
    }
  }
  return folders;
}

/** A field of a pod that its containers may know. */
export function fieldOf({ metadata, status }: KubeItem, fieldPath: string): string {
  const known: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'status.podIP': status?.podIP,
  };
  const value = known[fieldPath];
  if (value === undefined) throw new Error(`the stand-in for the kubelet knows no field ${fieldPath}`);
  return value;
}

async function writeKeys(
  kube: KubeClient,
  pod: KubeItem,
  kind: 'ConfigMap' | 'Secret',
  name: string,
  items: readonly Item[] | undefined,
  folder: string,
): Promise<void> {
  const object = await kube.get('v1', kind, pod.metadata.namespace!, name);
  if (object === undefined) throw new Error(`${kind} ${name} does not exist`);
  const isSecret = kind === 'Secret';
  const files = new Map<string, Buffer>([
    ...Object.entries(object.data ?? {}).map(([key, text]) => [key, Buffer.from(text, isSecret ? 'base64' : 'utf8')] as const),
    ...Object.entries(object.binaryData ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
  ]);
  for (const item of items ?? [...files.keys()].map((key): Item => ({ key, path: key }))) {
    const content = files.get(item.key);
    if (content === undefined) throw new Error(`${kind} ${name} has no ${item.key}`);
    write(folder, item.path, content);
  }
}

async function token(kube: KubeClient, { metadata, spec }: KubeItem, expirationSeconds: number): Promise<string> {
  const path = `/api/v1/namespaces/${metadata.namespace}/serviceaccounts/${spec.serviceAccountName}/token`;
  // bound to the pod, as the kubelet asks for it
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds, boundObjectRef } };
  return (JSON.parse(await kube.send('POST', path, body)) as { status: { token: string } }).status.token;
}

function write(folder: string, file: string, content: string | Buffer): void {
  writeFileSync(path.join(folder, file), content, { mode: 0o600 });
}
