import { AttachMode } from '../attach-mode';
import type { GatewayPlan, JwtPlan, PickerPlan, PlannedObject, RulePlan } from '../plan';
import { rateLimitRule } from './token-limits';
import type {
  BackendTrafficPolicySpec,
  CircuitBreaker,
  ClientTrafficPolicySpec,
  EnvoyExtensionPolicySpec,
  EnvoyProxySpec,
  LocalPolicyTarget,
  SecurityPolicySpec,
} from './types';

const API_VERSION = 'gateway.envoyproxy.io/v1alpha1';

/** Header in which the picker names the endpoints, in order of preference. */
const DESTINATION = 'x-gateway-destination-endpoint';

/**
 * Envoy's default of 1,024 parallel requests counts ext_proc streams and answers alike, and each is open for a whole answer:
 * beyond it requests fail with 500 at once.
 */
const WIDE_OPEN: CircuitBreaker = { maxConnections: 40_000, maxParallelRequests: 40_000, maxPendingRequests: 40_000 };

function ruleTarget(plan: GatewayPlan, rule: RulePlan): LocalPolicyTarget {
  return { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: plan.routeName, sectionName: rule.name };
}

/** Sends a rule's requests and answers to the picker. */
export function envoyExtensionPolicy(plan: GatewayPlan, rule: RulePlan, picker: PickerPlan): PlannedObject {
  const sameNamespace = picker.namespace === plan.routeNamespace;
  const spec: EnvoyExtensionPolicySpec = {
    targetRefs: [ruleTarget(plan, rule)],
    extProc: [
      {
        backendRefs: [{ name: picker.serviceName, port: picker.port, ...(sameNamespace ? {} : { namespace: picker.namespace }) }],
        backendSettings: { circuitBreaker: WIDE_OPEN },
        failOpen: false,
        statusOnError: 503,
        processingMode: { request: { body: 'FullDuplexStreamed' }, response: { body: 'FullDuplexStreamed' } },
        metadata: { accessibleNamespaces: ['envoy.lb'], writableNamespaces: ['envoy.lb'] },
      },
    ],
  };
  return {
    id: `ExtensionPolicy-${rule.name}`,
    apiVersion: API_VERSION,
    kind: 'EnvoyExtensionPolicy',
    name: `${rule.name}-picker`,
    namespace: plan.routeNamespace,
    body: { spec },
    why: 'asks the picker for an endpoint, with whole bodies in both directions',
  };
}

/** The one traffic policy of a rule: a second one on the same target is refused by the controller, the oldest wins. */
export function backendTrafficPolicy(plan: GatewayPlan, rule: RulePlan): PlannedObject {
  const spec: BackendTrafficPolicySpec = {
    targetRefs: [ruleTarget(plan, rule)],
    circuitBreaker: WIDE_OPEN,
    timeout: { http: { requestTimeout: `${plan.longestAnswerSeconds}s`, streamIdleTimeout: `${plan.streamIdleSeconds}s` } },
    ...(rule.picker === undefined
      ? {}
      : { loadBalancer: { type: 'LeastRequest', endpointOverride: { extractFrom: [{ header: DESTINATION }] } } }),
    ...(plan.tokenLimits.length === 0 ? {} : { rateLimit: { global: { rules: plan.tokenLimits.map(rateLimitRule) } } }),
    ...(plan.retries === 0
      ? {}
      : {
          retry: {
            numRetries: plan.retries,
            retryOn: { triggers: ['connect-failure', 'refused-stream', 'reset-before-request'] },
          },
        }),
  };
  return {
    id: `TrafficPolicy-${rule.name}`,
    apiVersion: API_VERSION,
    kind: 'BackendTrafficPolicy',
    name: `${rule.name}-traffic`,
    namespace: plan.routeNamespace,
    body: { spec },
    why:
      rule.picker === undefined
        ? 'lets streams live, ends stuck ones, and lifts the limit of 1,024 parallel requests'
        : 'sends each request to the endpoint that the picker chose; lets streams live and ends stuck ones',
  };
}

/** Lets nobody to the models without a valid token. Its filter overwrites or removes what a client says of itself in the same headers. */
export function securityPolicy(plan: GatewayPlan, jwt: JwtPlan): PlannedObject {
  const { issuer, audiences, jwksUri, claimHeaders } = jwt;
  const spec: SecurityPolicySpec = {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: plan.routeName }],
    jwt: {
      providers: [
        {
          name: 'clients',
          issuer,
          ...(audiences.length === 0 ? {} : { audiences }),
          remoteJWKS: { uri: jwksUri },
          claimToHeaders: claimHeaders,
        },
      ],
    },
  };
  return {
    id: 'SecurityPolicy',
    apiVersion: API_VERSION,
    kind: 'SecurityPolicy',
    name: `${plan.routeName}-clients`,
    namespace: plan.routeNamespace,
    body: { spec },
    why: 'verifies the tokens of clients, and tells the picker who they are',
  };
}

/** Removes what only the picker or a verified identity may say, before any filter sees it. */
export function clientTrafficPolicy(plan: GatewayPlan): PlannedObject {
  const spec: ClientTrafficPolicySpec = {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: plan.gatewayName }],
    headers: { earlyRequestHeaders: { remove: [...plan.controlHeaders] } },
    timeout: { http: { streamIdleTimeout: `${plan.streamIdleSeconds}s` } },
  };
  return {
    id: 'ClientTrafficPolicy',
    apiVersion: API_VERSION,
    kind: 'ClientTrafficPolicy',
    name: `${plan.gatewayName}-clients`,
    namespace: plan.gatewayNamespace,
    body: { spec },
    why: 'strips routing, priority and identity headers that a client sends itself',
  };
}

export function envoyProxyName(plan: GatewayPlan): string {
  return `${plan.gatewayName}-proxy`;
}

/** Settings of the gateway's own Envoy. */
export function envoyProxy(plan: GatewayPlan): PlannedObject {
  const spec: EnvoyProxySpec = {
    bootstrap: {
      type: 'Merge',
      value: [
        'layered_runtime:',
        '  layers:',
        '    - name: ext_proc',
        '      static_layer:',
        '        envoy.reloadable_features.ext_proc_graceful_grpc_close: true',
        '',
      ].join('\n'),
    },
  };
  return {
    id: 'EnvoyProxy',
    apiVersion: API_VERSION,
    kind: 'EnvoyProxy',
    name: envoyProxyName(plan),
    namespace: plan.gatewayNamespace,
    body: { spec },
    why: 'lets Envoy close ext_proc streams instead of resetting every one of them',
  };
}

/** Lets the policy in the route's namespace name a picker in the pool's namespace. */
export function referenceGrant(plan: GatewayPlan, rule: RulePlan, picker: PickerPlan): PlannedObject {
  return {
    id: `PickerGrant-${rule.name}`,
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    name: `${rule.name}-picker`,
    namespace: picker.namespace,
    body: {
      spec: {
        from: [{ group: 'gateway.envoyproxy.io', kind: 'EnvoyExtensionPolicy', namespace: plan.routeNamespace }],
        to: [{ group: '', kind: 'Service', name: picker.serviceName }],
      },
    },
    why: `lets the ${AttachMode.EXTPROC.name} policy of another namespace reach the picker`,
  };
}
