import type { KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding, type Severity } from './rule';

interface Retired {
  readonly apiVersion: RegExp;
  readonly kinds: readonly string[];
  readonly severity: Severity;
  readonly fix: string;
}

// Versions that no server of a supported Kubernetes serves, and kinds that moved or went.
const RETIRED: readonly Retired[] = [
  {
    apiVersion: /^(extensions|apps)\/v1beta[12]$/,
    kinds: ['Deployment', 'DaemonSet', 'ReplicaSet', 'StatefulSet'],
    severity: 'error',
    fix: 'write apps/v1',
  },
  {
    apiVersion: /^extensions\/v1beta1$/,
    kinds: ['Ingress', 'NetworkPolicy'],
    severity: 'error',
    fix: 'write networking.k8s.io/v1',
  },
  {
    apiVersion: /^networking\.k8s\.io\/v1beta1$/,
    kinds: ['Ingress', 'IngressClass'],
    severity: 'error',
    fix: 'write networking.k8s.io/v1',
  },
  { apiVersion: /^policy\/v1beta1$/, kinds: ['PodDisruptionBudget'], severity: 'error', fix: 'write policy/v1' },
  {
    apiVersion: /^policy\/v1beta1$/,
    kinds: ['PodSecurityPolicy'],
    severity: 'error',
    fix: 'label the namespace with pod-security.kubernetes.io/enforce',
  },
  { apiVersion: /^autoscaling\/v2beta[12]$/, kinds: ['HorizontalPodAutoscaler'], severity: 'error', fix: 'write autoscaling/v2' },
  { apiVersion: /^batch\/v(1beta1|2alpha1)$/, kinds: ['CronJob'], severity: 'error', fix: 'write batch/v1' },
  {
    apiVersion: /^rbac\.authorization\.k8s\.io\/v1(alpha1|beta1)$/,
    kinds: ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
    severity: 'error',
    fix: 'write rbac.authorization.k8s.io/v1',
  },
  {
    apiVersion: /^gateway\.networking\.k8s\.io\/v1alpha[23]$/,
    kinds: ['BackendTLSPolicy'],
    severity: 'error',
    fix: 'write gateway.networking.k8s.io/v1',
  },
  {
    apiVersion: /^gateway\.networking\.k8s\.io\/v1alpha2$/,
    kinds: ['Gateway', 'GatewayClass', 'HTTPRoute', 'GRPCRoute', 'ReferenceGrant', 'ReferencePolicy'],
    severity: 'error',
    fix: 'write gateway.networking.k8s.io/v1, and v1beta1 for ReferenceGrant',
  },
  {
    apiVersion: /^gateway\.networking\.x-k8s\.io\/v1alpha1$/,
    kinds: ['XListenerSet'],
    severity: 'warning',
    fix: 'write kind ListenerSet of gateway.networking.k8s.io/v1',
  },
  {
    apiVersion: /^inference\.networking\.x-k8s\.io\/v1alpha[12]$/,
    kinds: ['InferenceModel'],
    severity: 'hint',
    fix: 'it was removed in v1.0 of the Inference Extension: use InferenceObjective for the priority and InferenceModelRewrite for targets',
  },
  {
    apiVersion: /^inference\.networking\.x-k8s\.io\/v1alpha[12]$/,
    kinds: ['InferencePool'],
    severity: 'hint',
    fix: 'write inference.networking.k8s.io/v1, with selector.matchLabels, targetPorts and endpointPickerRef',
  },
  {
    apiVersion: /^inference\.networking\.x-k8s\.io\/v1alpha2$/,
    kinds: ['InferenceObjective', 'InferenceModelRewrite'],
    severity: 'warning',
    fix: 'write llm-d.ai/v1alpha2: the kind moved there',
  },
  {
    apiVersion: /^aigateway\.envoyproxy\.io\/v1alpha1$/,
    kinds: ['AIGatewayRoute', 'AIServiceBackend', 'BackendSecurityPolicy'],
    severity: 'warning',
    fix: 'write aigateway.envoyproxy.io/v1beta1',
  },
];

/** API versions that servers no longer have, or will not have for long, with what replaced them. */
export const retiredApis: Rule = {
  code: 'AIG128',
  name: 'retired-apis',
  title: 'The API version of an object is one that is still served',
  severity: 'warning',
  replaces: 'AIG004',
  check: (index) => index.objects.flatMap((object) => check(object)),
};

function check(object: KubeObject): RuleFinding[] {
  const apiVersion = object.at('apiVersion');
  const found = RETIRED.find((entry) => entry.apiVersion.test(apiVersion.text ?? '') && entry.kinds.includes(object.kind));
  if (found === undefined) return [];
  return [finding(apiVersion, `is a retired version of ${object.kind}`, { fix: found.fix, severity: found.severity })];
}
