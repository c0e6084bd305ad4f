import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, builtInWorkloads } from './support/workloads';

/** core/v1 ValidateVolumeMounts and validateVolumeSource. */
export const volumeMounts: Rule = {
  code: 'AIG044',
  name: 'volume-mounts',
  title: 'Every mounted volume exists and has one source',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    builtInWorkloads(index).flatMap(({ object, podSpec }) => {
      const volumes = podSpec.at('volumes').items;
      const names = volumes.flatMap((volume) => volume.at('name').text ?? []);
      const claims = object.at('spec', 'volumeClaimTemplates').items.flatMap((claim) => claim.at('metadata', 'name').text ?? []);
      const known = new Set([...names, ...claims]);
      return [
        ...volumes.flatMap(oneSource),
        ...allContainers(podSpec).flatMap((container) => [
          ...container.at('volumeMounts').items.flatMap((mount) => exists(mount, 'name', known)),
          ...container.at('volumeDevices').items.flatMap((device) => exists(device, 'name', known)),
          ...uniquePaths(container.at('volumeMounts').items),
        ]),
      ];
    }),
};

function exists(mount: Field, key: string, known: ReadonlySet<string>): RuleFinding[] {
  const name = mount.at(key);
  if (name.text === undefined || known.has(name.text)) return [];
  return [
    finding(name, 'is no volume of the pod', {
      allowed: [...known].join(', ') || 'a volume in spec.volumes',
      fix: 'add the volume, or correct the name',
    }),
  ];
}

function uniquePaths(mounts: readonly Field[]): RuleFinding[] {
  const seen = new Set<string>();
  return mounts.flatMap((mount) => {
    const path = mount.at('mountPath');
    if (path.text === undefined) return [];
    if (path.text === '') return [finding(path, 'is empty', { fix: 'say where the volume is to be mounted' })];
    if (seen.has(path.text)) return [finding(path, 'is used by two mounts of the container', { fix: 'mount one elsewhere' })];
    seen.add(path.text);
    return [];
  });
}

function oneSource(volume: Field): RuleFinding[] {
  const sources = volume.entries.filter(([key, field]) => key !== 'name' && field.isSet).map(([key]) => key);
  if (sources.length === 1) return [];
  const what = sources.length === 0 ? 'has no source' : `has ${sources.length} sources, ${sources.join(' and ')}`;
  // A volume without a source is an emptyDir to the server.
  if (sources.length === 0) return [];
  return [
    finding(volume, what, { allowed: 'exactly one of emptyDir, configMap, secret, persistentVolumeClaim, …', fix: 'keep one' }),
  ];
}
