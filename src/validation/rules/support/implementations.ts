import type { KubeObject, ObjectIndex } from '../../object-index';
import type { Profile } from '../rule';
import { IMPLEMENTATIONS, type Implementation } from './implementation-names';

/** What an implementation does with an HTTPRoute, from its conformance reports for Gateway API 1.5 and 1.6. */
interface Facts {
  readonly displayName: string;
  readonly controllerName?: RegExp;
  readonly className?: RegExp;
  /** Can a backendRef be an InferencePool? */
  readonly pools: boolean;
  /** Filters that make the rule invalid or are not acted upon. */
  readonly refusedFilters: readonly string[];
  /** Fields of a rule that are ignored. */
  readonly ignoredFields: readonly string[];
}

const NO_FILTERS: readonly string[] = [];

export const FACTS: Readonly<Record<Implementation, Facts>> = {
  'envoy-gateway': {
    displayName: 'Envoy Gateway',
    controllerName: /^gateway\.envoyproxy\.io\//,
    className: /^(eg|envoy|envoy-gateway)$/,
    pools: false,
    refusedFilters: NO_FILTERS,
    ignoredFields: [],
  },
  'envoy-ai-gateway': { displayName: 'Envoy AI Gateway', pools: true, refusedFilters: NO_FILTERS, ignoredFields: [] },
  istio: {
    displayName: 'Istio',
    controllerName: /^istio\.io\/(gateway|unmanaged-gateway)-controller$/,
    className: /^(istio|istio-remote)$/,
    pools: true,
    refusedFilters: NO_FILTERS,
    ignoredFields: [],
  },
  kong: {
    displayName: 'Kong',
    controllerName: /^konghq\.com\//,
    className: /^kong(-.*)?$/,
    pools: false,
    refusedFilters: ['CORS', 'RequestMirror', 'ExternalAuth'],
    ignoredFields: ['name', 'retry', 'sessionPersistence', 'timeouts.request'],
  },
  agentgateway: {
    displayName: 'agentgateway',
    controllerName: /^agentgateway\.dev\//,
    className: /^agentgateway$/,
    pools: true,
    refusedFilters: NO_FILTERS,
    ignoredFields: [],
  },
  kgateway: {
    displayName: 'kgateway',
    controllerName: /^kgateway\.dev\/kgateway$/,
    className: /^kgateway$/,
    pools: false,
    refusedFilters: NO_FILTERS,
    ignoredFields: [],
  },
  nginx: {
    displayName: 'NGINX Gateway Fabric',
    controllerName: /^gateway\.nginx\.org\//,
    className: /^nginx$/,
    pools: true,
    refusedFilters: NO_FILTERS,
    ignoredFields: ['name', 'retry', 'timeouts.request', 'timeouts.backendRequest'],
  },
  gke: {
    displayName: 'GKE Gateway',
    controllerName: /^networking\.gke\.io\/gateway/,
    className: /^gke-l7-/,
    pools: true,
    refusedFilters: ['CORS', 'ExternalAuth'],
    ignoredFields: ['retry', 'timeouts.request', 'timeouts.backendRequest'],
  },
  traefik: {
    displayName: 'Traefik',
    controllerName: /^traefik\.io\//,
    className: /^traefik$/,
    pools: false,
    refusedFilters: ['RequestMirror', 'CORS', 'ExternalAuth'],
    ignoredFields: ['retry', 'timeouts.request', 'timeouts.backendRequest'],
  },
  cilium: {
    displayName: 'Cilium',
    controllerName: /^io\.cilium\//,
    className: /^cilium$/,
    pools: false,
    refusedFilters: NO_FILTERS,
    ignoredFields: ['retry'],
  },
  aws: {
    displayName: 'AWS Load Balancer Controller',
    controllerName: /^gateway\.k8s\.aws\//,
    pools: false,
    refusedFilters: ['CORS', 'RequestMirror', 'ExternalAuth'],
    ignoredFields: ['retry', 'timeouts.request', 'timeouts.backendRequest'],
  },
  azure: {
    displayName: 'Azure Application Gateway for Containers',
    controllerName: /^alb\.networking\.azure\.io\//,
    className: /^azure-alb-/,
    pools: true,
    refusedFilters: NO_FILTERS,
    ignoredFields: [],
  },
};

/** The implementation behind a Gateway: as the user said, by the controller of its class, or by the usual name of the class. */
export function implementationOf(index: ObjectIndex, profile: Profile, gateway: KubeObject): Implementation | undefined {
  if (profile.implementation !== undefined) return profile.implementation;
  const className = gateway.at('spec', 'gatewayClassName').text ?? '';
  const controller = index.find('gateway.networking.k8s.io', 'GatewayClass', '', className)?.at('spec', 'controllerName').text;
  const found = IMPLEMENTATIONS.find((name) =>
    controller === undefined ? FACTS[name].className?.test(className) : FACTS[name].controllerName?.test(controller),
  );
  // The AI gateway runs on Envoy Gateway's classes; its own kinds give it away.
  return found === 'envoy-gateway' && index.objects.some(({ group }) => group === 'aigateway.envoyproxy.io')
    ? 'envoy-ai-gateway'
    : found;
}
