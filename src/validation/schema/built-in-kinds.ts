import type { NameRule } from '../names';

export interface BuiltInKind {
  readonly scope: 'Namespaced' | 'Cluster';
  readonly name: NameRule;
}

const namespaced = (name: NameRule = 'dns-subdomain'): BuiltInKind => ({ scope: 'Namespaced', name });
const cluster = (name: NameRule = 'dns-subdomain'): BuiltInKind => ({ scope: 'Cluster', name });

/**
 * What OpenAPI does not say of the built-in kinds: scope, and the form of names (Validate…Name functions of k8s.io/kubernetes/pkg/apis).
 * Kinds that are not listed are namespaced and named by DNS subdomains.
 */
export const BUILT_IN_KINDS: Readonly<Record<string, BuiltInKind>> = {
  Service: namespaced('dns-1035-label'),
  Namespace: cluster('dns-label'),
  PersistentVolume: cluster(),
  'batch/CronJob': namespaced('cron-job'),
  'policy/PodDisruptionBudget': namespaced('path-segment'),
  'networking.k8s.io/IngressClass': cluster(),
  'storage.k8s.io/StorageClass': cluster(),
  'scheduling.k8s.io/PriorityClass': cluster(),
  'resource.k8s.io/DeviceClass': cluster(),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': cluster(),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': cluster(),
  'apiextensions.k8s.io/CustomResourceDefinition': cluster(),
  'rbac.authorization.k8s.io/Role': namespaced('path-segment'),
  'rbac.authorization.k8s.io/RoleBinding': namespaced('path-segment'),
  'rbac.authorization.k8s.io/ClusterRole': cluster('path-segment'),
  'rbac.authorization.k8s.io/ClusterRoleBinding': cluster('path-segment'),
};

export function builtInKind(group: string, kind: string): BuiltInKind {
  return BUILT_IN_KINDS[group === '' ? kind : `${group}/${kind}`] ?? namespaced();
}
