import { isDeepStrictEqual } from 'node:util';
import { finding, type Rule } from './rule';

const IMMUTABLE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'apps/Deployment': [['spec', 'selector']],
  'apps/DaemonSet': [['spec', 'selector']],
  'apps/ReplicaSet': [['spec', 'selector']],
  'apps/StatefulSet': [
    ['spec', 'selector'],
    ['spec', 'serviceName'],
    ['spec', 'podManagementPolicy'],
    ['spec', 'volumeClaimTemplates'],
  ],
  'batch/Job': [
    ['spec', 'selector'],
    ['spec', 'completionMode'],
    ['spec', 'template'],
  ],
  'rbac.authorization.k8s.io/RoleBinding': [['roleRef']],
  'rbac.authorization.k8s.io/ClusterRoleBinding': [['roleRef']],
  '/PersistentVolumeClaim': [
    ['spec', 'accessModes'],
    ['spec', 'storageClassName'],
    ['spec', 'volumeMode'],
  ],
  '/Secret': [['type']],
};
const DATA: ReadonlyMap<string, readonly string[]> = new Map([
  ['ConfigMap', ['data', 'binaryData', 'immutable']],
  ['Secret', ['data', 'stringData', 'immutable']],
]);

/** What an API server refuses to change; the old objects come from the profile. */
export const immutableFields: Rule = {
  code: 'AIG059',
  name: 'immutable-fields',
  title: 'Fields that cannot be changed are not changed',
  severity: 'error',
  isAdmission: true,
  check: (index, { previous }) => {
    if (previous === undefined) return [];
    return index.objects.flatMap((object) => {
      const old = previous.find(object.group, object.kind, object.namespace, object.name);
      if (old === undefined) return [];
      const paths: (readonly string[])[] = [...(IMMUTABLE[`${object.group}/${object.kind}`] ?? [])];
      if (object.group === '' && old.at('immutable').value === true)
        paths.push(...(DATA.get(object.kind) ?? []).map((key) => [key]));
      if (object.is('', 'Service') && object.at('spec', 'clusterIP').isSet && old.at('spec', 'type').text !== 'ExternalName')
        paths.push(['spec', 'clusterIP']);
      return paths
        .filter((path) => !isDeepStrictEqual(object.at(...path).value ?? null, old.at(...path).value ?? null))
        .map((path) =>
          finding(object.at(...path), `is not what it was, and cannot be changed`, {
            fix: 'keep it, or give the object another name, or delete the old one first',
          }),
        );
    });
  },
};
