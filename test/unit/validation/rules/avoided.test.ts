import { readManifests, validateManifests } from '../../../../src/validation';

const POOL_REF = '{group: inference.networking.k8s.io, kind: InferencePool, name: llama}';
const SERVICE_REF = '{name: web, port: 80}';

/** A Gateway of a class, and a route with these rules. */
const routed = (className: string, ...rules: readonly string[]): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ai}
spec: {gatewayClassName: ${className}, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: llama}
spec:
  parentRefs: [{name: ai}]
  rules:
${rules.map((rule) => `    - ${rule}`).join('\n')}
`;

const object = (apiVersion: string, kind: string, spec: string, name = 'a'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const eg = (kind: string, spec: string, name?: string): string => object('gateway.envoyproxy.io/v1alpha1', kind, spec, name);
const aigw = (kind: string, spec: string, name?: string): string => object('aigateway.envoyproxy.io/v1beta1', kind, spec, name);
const agentgateway = (spec: string): string => object('agentgateway.dev/v1alpha1', 'AgentgatewayPolicy', spec);
const pool = (rest: string): string =>
  object(
    'inference.networking.k8s.io/v1',
    'InferencePool',
    `{selector: {matchLabels: {app: llama}}, targetPorts: [{number: 8000}], endpointPickerRef: {name: epp, port: {number: 9002}, ${rest}}}`,
    'llama',
  );

const ROUTE_TARGET = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: llama}]';
const GATEWAY_TARGET = 'targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: ai}]';
const many = (count: number, text: string): string => Array.from({ length: count }, () => text).join(', ');
const extProc = (rest: string): string =>
  eg('EnvoyExtensionPolicy', `{${ROUTE_TARGET}, extProc: [{backendRefs: [{name: epp, port: 9002}], ${rest}}]}`);

/**
 * What a manifest has to avoid, gateway by gateway, and the finding that says so: where the definition of a kind says it (AIG010 to
 * AIG030), and where only the code of the gateway does.
 */
const AVOIDED: readonly (readonly [what: string, manifests: string, code: string])[] = [
  // Gateway API
  ['17 rules', routed('any', ...Array.from({ length: 17 }, () => `backendRefs: [${SERVICE_REF}]`)), 'AIG015'],
  ['65 matches', routed('any', `matches: [${many(65, '{path: {value: /}}')}]\n      backendRefs: [${SERVICE_REF}]`), 'AIG015'],
  ['17 backends', routed('any', `backendRefs: [${many(17, SERVICE_REF)}]`), 'AIG015'],
  ['a Service without port', routed('any', 'backendRefs: [{name: web}]'), 'AIG030'],
  ['a pool with port', routed('istio', `backendRefs: [${POOL_REF.replace('}', ', port: 80}')}]`), 'AIG117'],
  [
    'a filter twice',
    routed('any', `filters: [${many(2, '{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}')}]`),
    'AIG030',
  ],
  [
    'redirect and rewrite',
    routed('any', 'filters: [{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {hostname: a.b}}]'),
    'AIG030',
  ],
  ['a path with //', routed('any', `matches: [{path: {value: /a//b}}]\n      backendRefs: [${SERVICE_REF}]`), 'AIG030'],
  ['a path with %2f', routed('any', `matches: [{path: {value: /a%2fb}}]\n      backendRefs: [${SERVICE_REF}]`), 'AIG030'],
  ['a timeout in words', routed('any', `backendRefs: [${SERVICE_REF}]\n      timeouts: {request: 1 minute}`), 'AIG014'],
  [
    'a backend timeout above the whole',
    routed('any', `backendRefs: [${SERVICE_REF}]\n      timeouts: {request: 1s, backendRequest: 2s}`),
    'AIG030',
  ],
  [
    'rules of one name',
    routed('any', `{name: a, backendRefs: [${SERVICE_REF}]}`, `{name: a, backendRefs: [${SERVICE_REF}]}`),
    'AIG115',
  ],
  [
    'two references to one parent',
    routed('any', `backendRefs: [${SERVICE_REF}]`).replace('[{name: ai}]', '[{name: ai}, {name: ai}]'),
    'AIG030',
  ],
  [
    'two listeners of one name',
    routed('any', `backendRefs: [${SERVICE_REF}]`).replace(
      'protocol: HTTP}',
      'protocol: HTTP}, {name: http, port: 81, protocol: HTTP}',
    ),
    'AIG016',
  ],
  [
    'TLS of a plain listener',
    routed('any', `backendRefs: [${SERVICE_REF}]`).replace('protocol: HTTP}', 'protocol: HTTP, tls: {}}'),
    'AIG030',
  ],
  [
    'HTTPS without certificate',
    routed('any', `backendRefs: [${SERVICE_REF}]`).replace('protocol: HTTP}', 'protocol: HTTPS, tls: {}}'),
    'AIG030',
  ],
  [
    'a long name of a Gateway',
    routed('istio', `backendRefs: [${SERVICE_REF}]`).replaceAll('name: ai', `name: ${'a'.repeat(63)}`),
    'AIG124',
  ],
  [
    'certificates of both sorts',
    object(
      'gateway.networking.k8s.io/v1',
      'BackendTLSPolicy',
      '{targetRefs: [{group: "", kind: Service, name: web}], validation: {hostname: a.b, wellKnownCACertificates: System, caCertificateRefs: [{group: "", kind: ConfigMap, name: a}]}}',
    ),
    'AIG030',
  ],
  [
    'a backend of another namespace without grant',
    `${routed('any', 'backendRefs: [{name: web, namespace: other, port: 80}]').replaceAll('metadata: {', 'metadata: {namespace: ai, ')}---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n`,
    'AIG107',
  ],
  ['retry in the standard channel', routed('any', `backendRefs: [${SERVICE_REF}]\n      retry: {attempts: 2}`), 'AIG129'],
  [
    'a retired version of BackendTLSPolicy',
    object('gateway.networking.k8s.io/v1alpha3', 'BackendTLSPolicy', '{targetRefs: [], validation: {hostname: a.b}}'),
    'AIG128',
  ],

  // Envoy Gateway
  ['targetRef', eg('ClientTrafficPolicy', '{targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: ai}}'), 'AIG140'],
  [
    'two policies on one route',
    `${eg('BackendTrafficPolicy', `{${ROUTE_TARGET}, timeout: {http: {requestTimeout: 1h}}}`)}---\n${eg('BackendTrafficPolicy', `{${ROUTE_TARGET}, useClientProtocol: true}`, 'b')}`,
    'AIG113',
  ],
  [
    'a target of another namespace',
    eg('SecurityPolicy', `{${ROUTE_TARGET.replace('}', ', namespace: b}')}, cors: {allowOrigins: ["*"]}}`),
    'AIG010',
  ],
  ['mergeType on a Gateway', eg('BackendTrafficPolicy', `{${GATEWAY_TARGET}, mergeType: StrategicMerge}`), 'AIG030'],
  [
    'backendRef of extProc',
    eg('EnvoyExtensionPolicy', `{${ROUTE_TARGET}, extProc: [{backendRef: {name: epp, port: 9002}}]}`),
    'AIG030',
  ],
  ['failOpen with full duplex', extProc('failOpen: true, processingMode: {request: {body: FullDuplexStreamed}}'), 'AIG030'],
  ['shadow mode with a buffered body', extProc('shadowMode: true, processingMode: {request: {body: Buffered}}'), 'AIG030'],
  ['metadata of Envoy itself', extProc('metadata: {writableNamespaces: [envoy.filters.http.rbac]}'), 'AIG030'],
  [
    'a type of rate limits',
    eg(
      'BackendTrafficPolicy',
      `{${ROUTE_TARGET}, rateLimit: {type: Global, global: {rules: [{limit: {requests: 1, unit: Hour}}]}}}`,
    ),
    'AIG140',
  ],
  [
    'an empty selector of clients',
    eg(
      'BackendTrafficPolicy',
      `{${ROUTE_TARGET}, rateLimit: {global: {rules: [{clientSelectors: [{}], limit: {requests: 1, unit: Hour}}]}}}`,
    ),
    'AIG030',
  ],
  [
    'a buffer with upgrades',
    eg('BackendTrafficPolicy', `{${ROUTE_TARGET}, requestBuffer: {limit: 1Mi}, httpUpgrade: [{type: websocket}]}`),
    'AIG030',
  ],
  [
    'an endpoint override with another balancer of its own',
    eg(
      'BackendTrafficPolicy',
      `{${ROUTE_TARGET}, loadBalancer: {type: DynamicModule, dynamicModule: {name: a, lbPolicyName: b}, endpointOverride: {extractFrom: [{header: x}]}}}`,
    ),
    'AIG030',
  ],
  [
    'an ExternalName',
    `${routed('envoy-gateway', `backendRefs: [${SERVICE_REF}]`)}---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: ExternalName, externalName: a.b, ports: [{port: 80}]}\n`,
    'AIG144',
  ],

  ['a Backend that is not read', eg('Backend', '{endpoints: [{ip: {address: 10.0.0.1, port: 80}}]}'), 'AIG141'],
  [
    'a patch that is not read',
    eg(
      'EnvoyPatchPolicy',
      '{type: JSONPatch, targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: ai}, jsonPatches: []}',
    ),
    'AIG141',
  ],
  ['Lua that is not run', eg('EnvoyExtensionPolicy', `{${ROUTE_TARGET}, lua: [{type: Inline, inline: a}]}`), 'AIG141'],
  [
    'a policy of a section beside that of the whole',
    `${eg('BackendTrafficPolicy', `{${ROUTE_TARGET}}`)}---\n${eg('BackendTrafficPolicy', `{${ROUTE_TARGET.replace('}', ', sectionName: chat}')}}`, 'b')}`,
    'AIG142',
  ],

  // Envoy AI Gateway
  [
    'a reserved rule name',
    aigw(
      'AIGatewayRoute',
      '{parentRefs: [{name: ai, kind: Gateway, group: gateway.networking.k8s.io}], rules: [{name: route-not-found, backendRefs: [{name: b}]}]}',
    ),
    'AIG160',
  ],
  [
    'an HTTPRoute of the same name',
    `${aigw('AIGatewayRoute', '{parentRefs: [{name: ai, kind: Gateway, group: gateway.networking.k8s.io}], rules: [{backendRefs: [{name: b}]}]}', 'llama')}---\n${routed('envoy-gateway', `backendRefs: [${SERVICE_REF}]`)}`,
    'AIG160',
  ],
  [
    'a pool and a backend in one rule',
    aigw(
      'AIGatewayRoute',
      `{parentRefs: [{name: ai, kind: Gateway, group: gateway.networking.k8s.io}], rules: [{backendRefs: [${POOL_REF}, {name: b}]}]}`,
    ),
    'AIG030',
  ],
  [
    'a group without a kind',
    aigw(
      'AIGatewayRoute',
      '{parentRefs: [{name: ai, kind: Gateway, group: gateway.networking.k8s.io}], rules: [{backendRefs: [{name: b, group: inference.networking.k8s.io}]}]}',
    ),
    'AIG030',
  ],
  [
    'a parent that is no Gateway',
    aigw('AIGatewayRoute', '{parentRefs: [{name: ai, kind: Service, group: ""}], rules: [{backendRefs: [{name: b}]}]}'),
    'AIG030',
  ],
  [
    'a Service behind an AIServiceBackend',
    aigw('AIServiceBackend', '{schema: {name: OpenAI}, backendRef: {name: b, kind: Service, group: ""}}'),
    'AIG030',
  ],
  [
    'FailOpen',
    `${routed('envoy-gateway', `backendRefs: [${POOL_REF}]`)}---\n${pool('failureMode: FailOpen')}---\n${aigw('GatewayConfig', '{}')}`,
    'AIG123',
  ],

  // Istio
  [
    'CORS and a pool',
    routed('istio', `filters: [{type: CORS, cors: {allowOrigins: ["*"]}}]\n      backendRefs: [${POOL_REF}]`),
    'AIG119',
  ],
  ['weighted pools', routed('istio', `backendRefs: [${POOL_REF}, ${POOL_REF.replace('llama', 'other')}]`), 'AIG118'],
  ['a Service behind a pool', routed('istio', `backendRefs: [${POOL_REF}, ${SERVICE_REF}]`), 'AIG118'],
  ['a dot in the name of a rule', routed('istio', `{name: a.b, backendRefs: [${POOL_REF}]}`), 'AIG120'],
  ['a pool at a waypoint', routed('istio-waypoint', `backendRefs: [${POOL_REF}]`), 'AIG116'],
  ['a timeout of 0s', routed('istio', `backendRefs: [${POOL_REF}]\n      timeouts: {request: 0s}`), 'AIG172'],

  // Kong
  ['CORS', routed('kong', `filters: [{type: CORS, cors: {allowOrigins: ["*"]}}]\n      backendRefs: [${SERVICE_REF}]`), 'AIG121'],
  [
    'a mirror',
    routed(
      'kong',
      `filters: [{type: RequestMirror, requestMirror: {backendRef: ${SERVICE_REF}}}]\n      backendRefs: [${SERVICE_REF}]`,
    ),
    'AIG121',
  ],
  [
    'filters of a backend',
    routed(
      'kong',
      'backendRefs: [{name: web, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]}]',
    ),
    'AIG121',
  ],
  ['a name of a rule', routed('kong', `{name: a, backendRefs: [${SERVICE_REF}]}`), 'AIG122'],
  ['a request timeout', routed('kong', `backendRefs: [${SERVICE_REF}]\n      timeouts: {request: 1h}`), 'AIG122'],
  ['a pool', routed('kong', `backendRefs: [${POOL_REF}]`), 'AIG116'],
  [
    'a ListenerSet',
    `${routed('kong', `backendRefs: [${SERVICE_REF}]`)}---\n${object('gateway.networking.k8s.io/v1', 'ListenerSet', '{parentRef: {name: ai}, listeners: [{name: b, port: 8080, protocol: HTTP}]}')}`,
    'AIG168',
  ],
  ['matching by method', routed('kong', `matches: [{method: POST}]\n      backendRefs: [${SERVICE_REF}]`), 'AIG169'],
  [
    'matching by query',
    routed('kong', `matches: [{queryParams: [{name: a, value: b}]}]\n      backendRefs: [${SERVICE_REF}]`),
    'AIG169',
  ],

  // agentgateway
  [
    'targets of two kinds',
    agentgateway(
      '{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: ai}, {group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}], traffic: {timeouts: {request: 1h}}}',
    ),
    'AIG030',
  ],
  ['a timeout below 100 ms', agentgateway(`{${ROUTE_TARGET}, traffic: {timeouts: {request: 50ms}}}`), 'AIG030'],
  ['the front side on a route', agentgateway(`{${ROUTE_TARGET}, frontend: {http: {maxBufferSize: 1}}}`), 'AIG030'],
  [
    'a limit of requests and of tokens',
    agentgateway(`{${ROUTE_TARGET}, traffic: {rateLimit: {local: [{requests: 1, tokens: 1, unit: Minutes}]}}}`),
    'AIG030',
  ],

  // NGINX Gateway Fabric
  ['timeouts', routed('nginx', `backendRefs: [${SERVICE_REF}]\n      timeouts: {request: 1h}`), 'AIG122'],
  ['a name of a rule', routed('nginx', `{name: a, backendRefs: [${SERVICE_REF}]}`), 'AIG122'],
  ['a pool and a Service', routed('nginx', `backendRefs: [${POOL_REF}, ${SERVICE_REF}]`), 'AIG118'],
  ['FailClose', `${routed('nginx', `backendRefs: [${POOL_REF}]`)}---\n${pool('failureMode: FailClose')}`, 'AIG123'],
  [
    'a rewrite before a pool',
    routed('nginx', `filters: [{type: URLRewrite, urlRewrite: {hostname: a.b}}]\n      backendRefs: [${POOL_REF}]`),
    'AIG121',
  ],

  // GKE
  ['timeouts', routed('gke-l7-regional-external-managed', `backendRefs: [${POOL_REF}]\n      timeouts: {request: 1h}`), 'AIG122'],
  [
    'CORS',
    routed('gke-l7-rilb', `filters: [{type: CORS, cors: {allowOrigins: ["*"]}}]\n      backendRefs: [${SERVICE_REF}]`),
    'AIG121',
  ],
  [
    'a rewrite of paths',
    routed(
      'gke-l7-rilb',
      `filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /}}}]\n      backendRefs: [${SERVICE_REF}]`,
    ),
    'AIG121',
  ],
  [
    'a pool without HealthCheckPolicy',
    `${routed('gke-l7-rilb', `backendRefs: [${POOL_REF}]`)}---\n${pool('failureMode: FailOpen')}`,
    'AIG170',
  ],
];

describe('what a manifest has to avoid', () => {
  it.each(AVOIDED)('%s', (_, manifests, code) => {
    const { documents, findings } = readManifests(manifests);
    expect(findings).toEqual([]);
    expect(validateManifests(documents).map((finding) => finding.code)).toContain(code);
  });
});
