import type { Field, KubeObject } from '../object-index';
import { isJsonObject, type JsonObject } from '../schema/schema-node';
import { finding, type Rule, type RuleFinding } from './rule';
import { quantity } from './support/quantities';

/** A field that an update may not change. */
interface Frozen {
  readonly path: readonly string[];
  /** What the server takes when it is not given; of an object, the fields that it adds. */
  readonly default?: unknown;
  /** Empty text is as good as none. */
  readonly mayBeEmpty?: boolean;
  /** The server fills it in where nobody says it, so that its answer has it and no manifest needs it. */
  readonly isFilledIn?: boolean;
  /** What of the value is frozen. @default - all */
  readonly of?: (value: unknown) => unknown;
  /** @default - always frozen */
  readonly when?: (old: KubeObject) => boolean;
}

const frozen = (path: string, rest: Omit<Frozen, 'path'> = {}): Frozen => ({ path: path.split('.'), ...rest });

const WORKLOAD = [frozen('spec.selector')];
const BINDING = [frozen('roleRef', { default: { apiGroup: 'rbac.authorization.k8s.io' } })];
const CONFIG_DATA = ['data', 'binaryData', 'stringData', 'immutable'].map((field) =>
  frozen(field, { when: (old) => old.at('immutable').value === true }),
);
const VOLUME_SOURCES = [
  'csi',
  'nfs',
  'hostPath',
  'local',
  'iscsi',
  'fc',
  'cephfs',
  'rbd',
  'gcePersistentDisk',
  'awsElasticBlockStore',
];

/** Validate…Update functions of k8s.io/kubernetes/pkg/apis, for the kinds that the pinned schemas hold. */
const FROZEN: Readonly<Record<string, readonly Frozen[]>> = {
  'apps/Deployment': WORKLOAD,
  'apps/DaemonSet': WORKLOAD,
  'apps/ReplicaSet': WORKLOAD,
  'apps/StatefulSet': [
    ...WORKLOAD,
    frozen('spec.serviceName', { mayBeEmpty: true }),
    frozen('spec.podManagementPolicy', { default: 'OrderedReady' }),
    frozen('spec.volumeClaimTemplates'),
  ],
  'batch/Job': [
    frozen('spec.selector', { isFilledIn: true }),
    frozen('spec.completionMode', { default: 'NonIndexed' }),
    // Indexed Jobs may grow and shrink; what has one pod by default says so in two fields.
    frozen('spec.completions', { isFilledIn: true, when: (old) => old.at('spec', 'completionMode').text !== 'Indexed' }),
    frozen('spec.podFailurePolicy'),
    frozen('spec.successPolicy'),
    frozen('spec.backoffLimitPerIndex'),
    frozen('spec.managedBy'),
    // Of a Job that waits, what schedules its pods may change.
    frozen('spec.template', { when: (old) => old.at('spec', 'suspend').value !== true }),
  ],
  'rbac.authorization.k8s.io/RoleBinding': BINDING,
  'rbac.authorization.k8s.io/ClusterRoleBinding': BINDING,
  '/ConfigMap': CONFIG_DATA,
  '/Secret': [frozen('type', { default: 'Opaque', mayBeEmpty: true }), ...CONFIG_DATA],
  '/PersistentVolumeClaim': [
    frozen('spec.accessModes'),
    frozen('spec.volumeMode', { default: 'Filesystem' }),
    frozen('spec.storageClassName', { isFilledIn: true }),
    frozen('spec.volumeName', { isFilledIn: true, when: (old) => old.at('spec', 'volumeName').isSet }),
    frozen('spec.selector'),
    frozen('spec.resources', { default: {}, of: withoutStorage }),
    frozen('spec.dataSource', { isFilledIn: true }),
    frozen('spec.dataSourceRef', { isFilledIn: true }),
  ],
  '/PersistentVolume': [
    ...VOLUME_SOURCES.map((source) => frozen(`spec.${source}`)),
    frozen('spec.volumeMode', { default: 'Filesystem' }),
    frozen('spec.nodeAffinity', { when: (old) => old.at('spec', 'nodeAffinity').isSet }),
  ],
  '/Pod': [frozen('spec', { of: withoutImages })],
  'discovery.k8s.io/EndpointSlice': [frozen('addressType')],
  'networking.k8s.io/IngressClass': [frozen('spec.controller')],
  'resource.k8s.io/ResourceClaim': [frozen('spec')],
  'resource.k8s.io/ResourceClaimTemplate': [frozen('spec')],
  'scheduling.k8s.io/PriorityClass': [
    frozen('value', { default: 0 }),
    frozen('preemptionPolicy', { default: 'PreemptLowerPriority' }),
  ],
  'storage.k8s.io/StorageClass': [
    frozen('provisioner'),
    frozen('parameters'),
    frozen('reclaimPolicy', { default: 'Delete' }),
    frozen('volumeBindingMode', { default: 'Immediate' }),
  ],
  'apiextensions.k8s.io/CustomResourceDefinition': [frozen('spec.scope'), frozen('spec.names.kind')],
};

/** What an API server refuses to change; the old objects come from the profile. Rules about changes of custom kinds are in their CEL. */
export const immutableFields: Rule = {
  code: 'AIG059',
  name: 'immutable-fields',
  title: 'Fields that cannot be changed are not changed',
  severity: 'error',
  isAdmission: true,
  check: (index, { previous }) => {
    if (previous === undefined) return [];
    return index.objects.flatMap((object) => {
      const old = previous.findSame(object);
      return old === undefined ? [] : [...changes(object, old), ...movedService(object, old), ...shrunkClaim(object, old)];
    });
  },
};

function changes(object: KubeObject, old: KubeObject): RuleFinding[] {
  // A cluster's answer has what the server added everywhere; a manifest has what somebody wrote.
  const isAnswer = old.at('metadata', 'uid').isSet;
  return (FROZEN[`${object.group}/${object.kind}`] ?? [])
    .filter(
      ({ path, isFilledIn = false, when }) => (when?.(old) ?? true) && !(isFilledIn && isAnswer && !object.at(...path).isSet),
    )
    .filter((field) => {
      const [next, before] = [object, old].map((side) => frozenPart(side.at(...field.path), field));
      return !covers(before, next) || (!isAnswer && !covers(next, before));
    })
    .map(({ path }) => finding(object.at(...path), 'is not what it was, and cannot be changed', { fix: FIX }));
}

const FIX = 'keep it, or give the object another name, or delete the old one first';

function frozenPart({ value, isSet }: Field, { default: otherwise, mayBeEmpty, of }: Frozen): unknown {
  if (!isSet || (mayBeEmpty === true && value === '')) return otherwise ?? null;
  const said = isJsonObject(value) ? withoutNulls(value) : value;
  const whole = isJsonObject(said) && isJsonObject(otherwise) ? { ...otherwise, ...said } : said;
  return of === undefined ? whole : of(whole);
}

/** A pod may get other images, and more tolerations; its containers stay. */
function withoutImages(spec: unknown): unknown {
  if (!isJsonObject(spec)) return spec;
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    const containers = rest[list];
    if (Array.isArray(containers)) {
      rest[list] = containers.map((container: unknown) => (isJsonObject(container) ? { ...container, image: '' } : container));
    }
  }
  return rest;
}

/** Of a claim, the storage alone may change: shrunkClaim() has it. */
function withoutStorage(resources: unknown): unknown {
  if (!isJsonObject(resources) || !isJsonObject(resources['requests'])) return resources;
  const { storage: _, ...requests } = resources['requests'];
  return { ...resources, requests };
}

function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
}

/** Whether everything that is said in `next` is in `before`, which may say more. */
function covers(before: unknown, next: unknown): boolean {
  if (Array.isArray(next)) {
    return Array.isArray(before) && before.length === next.length && next.every((item, index) => covers(before[index], item));
  }
  if (isJsonObject(next)) {
    return isJsonObject(before) && Object.entries(withoutNulls(next)).every(([key, entry]) => covers(before[key], entry));
  }
  // The server writes quantities its own way: `1000m` as `1`.
  return next === before || (quantity(next) !== undefined && quantity(next) === quantity(before));
}

// The address is kept where the manifest does not say it, whoever had said it before.
function movedService(object: KubeObject, old: KubeObject): RuleFinding[] {
  if (!object.is('', 'Service') || old.at('spec', 'type').text === 'ExternalName') return [];
  const [next, before] = [object, old].map((side) => side.at('spec', 'clusterIP'));
  if (!next!.isSet || !before!.isSet || next!.value === '' || next!.value === before!.value) return [];
  return [finding(next!, 'is not what it was, and cannot be changed', { fix: FIX })];
}

function shrunkClaim(object: KubeObject, old: KubeObject): RuleFinding[] {
  if (!object.is('', 'PersistentVolumeClaim')) return [];
  const path = ['spec', 'resources', 'requests', 'storage'];
  const [next, before] = [object, old].map((side) => quantity(side.at(...path).value));
  if (next === undefined || before === undefined || next >= before) return [];
  const allowed = `at least ${String(old.at(...path).value)}`;
  return [
    finding(object.at(...path), 'is less than it was', { allowed, fix: 'keep the size, or copy the data into a new claim' }),
  ];
}
