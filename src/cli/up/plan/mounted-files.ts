import type { Container, KubeObjects, Workload } from './kube-objects';

/** The text of a file as a container sees it; undefined when no ConfigMap or Secret of the manifests holds it. */
export function mountedFile(objects: KubeObjects, workload: Workload, container: Container, path: string): string | undefined {
  return mountedFolder(objects, workload, container, path.slice(0, path.lastIndexOf('/')))?.get(
    path.slice(path.lastIndexOf('/') + 1),
  );
}

/** The files of a mounted folder by name; undefined when what is mounted there is not in the manifests. */
export function mountedFolder(
  objects: KubeObjects,
  workload: Workload,
  container: Container,
  folder: string,
): ReadonlyMap<string, string> | undefined {
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath.replace(/\/$/, '') === folder);
  const volume = workload.volumes.find(({ name }) => name === mount?.name);
  if (volume === undefined) return undefined;
  const sources = [
    ...(volume.configMap === undefined ? [] : [{ kind: 'ConfigMap', ...volume.configMap }]),
    ...(volume.secret === undefined ? [] : [{ kind: 'Secret', name: volume.secret.secretName, items: volume.secret.items }]),
    ...(volume.projected?.sources ?? []).flatMap(({ configMap, secret }) => [
      ...(configMap === undefined ? [] : [{ kind: 'ConfigMap', ...configMap }]),
      ...(secret === undefined ? [] : [{ kind: 'Secret', ...secret }]),
    ]),
  ];
  const files = new Map<string, string>();
  for (const { kind, name, items } of sources) {
    const object = objects.find(kind, workload.namespace, name);
    if (object === undefined) return undefined;
    const data = kind === 'Secret' ? secretData(object) : (object.data ?? {});
    if (items === undefined) for (const [key, text] of Object.entries(data)) files.set(key, text);
    else for (const { key, path } of items) if (data[key] !== undefined) files.set(path, data[key]);
  }
  return files;
}

function secretData({ data, stringData }: { data?: object; stringData?: object }): Record<string, string> {
  const decoded = Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(String(text), 'base64').toString('utf8')]);
  return { ...Object.fromEntries(decoded), ...stringData };
}
