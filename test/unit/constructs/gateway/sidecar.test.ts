import { Chart, Duration } from 'cdk8s';
import { parse } from 'yaml';
import {
  AiGateway,
  ClientIdentity,
  GatewayImplementation,
  GatewayListener,
  InferencePool,
  ListenerCertificate,
  PickerDelivery,
  RateLimitKey,
} from '../../../../src';
import { CONTROL_HEADERS } from '../../../../src/shared/control-headers';
import { GatewayProgram, ofKind, only } from '../../../support/gateway-program';

function program(props = {}): { objects: ReturnType<GatewayProgram['synth']>; bootstrap: any } {
  const made = new GatewayProgram();
  const gateway = made.gateway(GatewayImplementation.kong(), props);
  gateway.addModel('a', { pool: made.pool('one') });
  gateway.addModel('b', { pool: made.pool('two', { ports: [8000, 8001], backend: undefined, selector: { app: 'two' } }) });
  const objects = made.synth();
  return { objects, bootstrap: parse(ofKind(objects, 'ConfigMap')['gw-proxy-envoy'].data['envoy.yaml']) };
}

describe('the proxy of sidecar mode', () => {
  const { objects, bootstrap } = program();
  const [http] = bootstrap.static_resources.listeners;
  const manager = http.filter_chains[0].filters[0].typed_config;
  const clusters = Object.fromEntries(bootstrap.static_resources.clusters.map((cluster: any) => [cluster.name, cluster]));
  const { spec } = ofKind(objects, 'Deployment')['gw-proxy'].spec.template;

  test('one cluster for each pool, chosen by a header that only the picker sets', () => {
    expect(manager.route_config.virtual_hosts[0].routes[0].route.cluster_header).toBe('x-aig-pool');
    expect(Object.keys(clusters)).toEqual(['picker', 'admin', 'one', 'two']);
  });

  test('client copies of control headers go before any filter, the picker’s own before the engine', () => {
    const removed = manager.early_header_mutation_extensions[0].typed_config.mutations.map(({ remove }: any) => remove);
    expect(removed).toEqual([...CONTROL_HEADERS]);
    expect(manager.route_config.virtual_hosts[0].routes[0].request_headers_to_remove.sort()).toEqual([...CONTROL_HEADERS].sort());
  });

  test('a pool’s engines are the addresses of its headless Service, one per port', () => {
    const hosts = clusters['two'].load_assignment.endpoints[0].lb_endpoints.map(
      (entry: any) => entry.endpoint.address.socket_address,
    );
    expect(hosts).toEqual([8000, 8001].map((port_value) => ({ address: 'two-endpoints.ai.svc.cluster.local', port_value })));
    expect(ofKind(objects, 'Service')['two-endpoints'].spec.clusterIP).toBe('None');
    // the only backend of a pool has such a Service already
    expect(clusters['one'].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address).toBe(
      'one-engine.ai.svc.cluster.local',
    );
  });

  test('an address that Envoy does not know falls back inside its pool', () => {
    const policy = clusters['one'].load_balancing_policy.policies[0].typed_extension_config.typed_config;
    expect(policy.fallback_policy.policies[0].typed_extension_config.name).toBe('envoy.load_balancing_policies.least_request');
  });

  test('streams outlive 1,024 at once, and end when they fall silent', () => {
    expect(clusters['picker'].circuit_breakers.thresholds[0].max_requests).toBe(40_000);
    expect(clusters['one'].circuit_breakers.thresholds[0].max_requests).toBe(40_000);
    expect(manager.stream_idle_timeout).toBe('300s');
  });

  test('retries never follow an answer that has begun', () => {
    const { retry_policy } = manager.route_config.virtual_hosts[0].routes[0].route;
    expect(retry_policy.retry_on.split(',').sort()).toEqual(['connect-failure', 'refused-stream', 'reset-before-request']);
    expect(
      program({ retries: 0 }).bootstrap.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config
        .virtual_hosts[0].routes[0].route.retry_policy,
    ).toBeUndefined();
  });

  test('the admin interface stays on loopback', () => {
    expect(bootstrap.admin.address.socket_address.address).toBe('127.0.0.1');
  });

  test('both containers end after the streams, and the pod waits for them', () => {
    expect(spec.containers.map(({ lifecycle }: any) => lifecycle.preStop.sleep.seconds)).toEqual([300, 300]);
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(300);
  });

  test('no container is root, writes its image or holds the token of the API server without need', () => {
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext } of spec.containers) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  test('only the gateway’s pods may send requests, and only the proxy may reach the engines', () => {
    expect(ofKind(objects, 'NetworkPolicy')['gw-proxy'].spec.ingress[0]).toEqual({
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kong' } } }],
      ports: [{ protocol: 'TCP', port: 8080 }],
    });
    const [{ from }] = ofKind(objects, 'NetworkPolicy')['one-engine'].spec.ingress;
    expect(from).toContainEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ai-gateway-proxy', 'app.kubernetes.io/instance': 'gw-proxy' } },
    });
  });

  test('a changed bootstrap replaces the pods', () => {
    const digest = (made: ReturnType<typeof program>): string =>
      ofKind(made.objects, 'Deployment')['gw-proxy'].spec.template.metadata.annotations[
        'cdk8s-ai-gateway.dev/envoy-config-sha256'
      ];
    expect(digest(program())).toBe(digest(program()));
    expect(digest(program({ retries: 3 }))).not.toBe(digest(program()));
  });

  test('the engines’ key is put into requests by the proxy, from a mounted Secret', () => {
    const made = new GatewayProgram();
    const backend = Object.assign(made.backend('keyed'), { apiKey: { secretName: 'engine', key: 'token' } });
    made.gateway(GatewayImplementation.kong()).addModel('a', { pool: new InferencePool(made.chart, 'one', { backend }) });
    const synthesized = made.synth();
    const config = parse(ofKind(synthesized, 'ConfigMap')['gw-proxy-envoy'].data['envoy.yaml']);
    expect(config.static_resources.secrets).toEqual([
      { name: 'engine-key-one', generic_secret: { secret: { filename: '/etc/engine-keys/one/token' } } },
    ]);
    const [envoy] = ofKind(synthesized, 'Deployment')['gw-proxy'].spec.template.spec.containers;
    expect(envoy.volumeMounts).toContainEqual({ name: 'key-one', mountPath: '/etc/engine-keys/one', readOnly: true });
  });
});

describe('tokens of clients', () => {
  const identity = ClientIdentity.jwt({ issuer: 'https://login.example.com', audiences: ['llm'], tenantClaim: 'org' });
  const made = new GatewayProgram();
  const gateway = made.gateway(GatewayImplementation.kong(), { identity });
  gateway.addModel('a', { pool: made.pool('one') });
  gateway.addTokenRateLimit('per-org', { tokens: 10, window: Duration.minutes(1), key: RateLimitKey.jwtClaim('org') });
  const objects = made.synth();
  const config = parse(ofKind(objects, 'ConfigMap')['gw-proxy-envoy'].data['envoy.yaml']);
  const filters = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters;

  test('are verified by Envoy before the picker is asked', () => {
    expect(filters.map(({ name }: any) => name.split('.').pop())).toEqual(['jwt_authn', 'ext_proc', 'router']);
    const { client } = filters[0].typed_config.providers;
    expect(client).toMatchObject({ issuer: 'https://login.example.com', audiences: ['llm'], forward: false });
    expect(client.remote_jwks.http_uri.uri).toBe('https://login.example.com/.well-known/jwks.json');
  });

  test('name client and tenant to the picker, in headers that no client can set', () => {
    const headers = filters[0].typed_config.providers.client.claim_to_headers;
    expect(headers).toEqual([
      { claim_name: 'sub', header_name: 'x-aig-client-id' },
      { claim_name: 'org', header_name: 'x-aig-tenant' },
    ]);
    for (const { header_name } of headers) expect(CONTROL_HEADERS).toContain(header_name);
    const policy = parse(ofKind(objects, 'ConfigMap')['gw-proxy-config'].data['policy.yaml']);
    expect([policy.identity, policy.limits[0].key]).toEqual([
      { source: 'header', removeHeaders: ['authorization'] },
      { source: 'tenant' },
    ]);
  });
});

describe('a Gateway in another namespace', () => {
  test('lets the routes of the chart’s namespace in, and the route names it', () => {
    const { objects } = program({ gatewayNamespace: 'edge', routeNamespaces: ['team-b'] });
    const gateway = only(objects, 'Gateway');
    expect(gateway.spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values).toEqual(['ai', 'team-b']);
    expect(only(objects, 'HTTPRoute').spec.parentRefs).toEqual([{ name: 'gw', namespace: 'edge' }]);
  });

  test('an existing one is only referred to', () => {
    const made = new GatewayProgram();
    const gateway = AiGateway.fromGatewayName(made.chart, 'shared', {
      implementation: GatewayImplementation.envoyGateway(),
      gatewayName: 'company',
      gatewayNamespace: 'edge',
      listenerNames: ['https'],
      picker: { delivery: PickerDelivery.image('registry.example.com/picker:1.0.0') },
    });
    gateway.addModel('m', { pool: made.pool('one') });
    const objects = made.synth();
    expect(objects.map(({ kind }) => kind)).not.toEqual(expect.arrayContaining(['Gateway']));
    expect(objects.map(({ kind }) => kind)).not.toEqual(expect.arrayContaining(['ClientTrafficPolicy']));
    expect(only(objects, 'HTTPRoute').spec.parentRefs).toEqual([{ name: 'company', namespace: 'edge', sectionName: 'https' }]);
  });

  test('references to other namespaces get their grant on the side that is referred to', () => {
    const made = new GatewayProgram();
    const serving = new Chart(made.app, 'serving', { namespace: 'serving' });
    const pool = new InferencePool(serving, 'one', { backend: made.backend('engine', serving) });
    made.gateway(GatewayImplementation.istio()).addModel('m', { pool });
    const grant = only(made.synth(), 'ReferenceGrant');
    expect(grant.metadata.namespace).toBe('serving');
    expect(grant.spec).toEqual({
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'ai' }],
      to: [{ group: 'inference.networking.k8s.io', kind: 'InferencePool', name: 'one' }],
    });
    // the picker lives where the gateway looks for it
    expect(ofKind(made.synth(serving), 'Deployment')['one-picker'].metadata.namespace).toBe('serving');
  });
});

describe('listeners', () => {
  test('a redirect takes plain HTTP, and the models stay on HTTPS', () => {
    const certificate = ListenerCertificate.certManager({ issuer: 'letsencrypt' });
    const { objects } = program({
      listeners: [GatewayListener.http(), GatewayListener.https({ port: 8443, hostname: 'llm.example.com', certificate })],
      redirectHttpToHttps: true,
    });
    const routes = ofKind(objects, 'HTTPRoute');
    expect(routes['gw-redirect'].spec.parentRefs).toEqual([{ name: 'gw', sectionName: 'http' }]);
    expect(routes['gw-redirect'].spec.rules[0].filters[0].requestRedirect).toEqual({
      scheme: 'https',
      statusCode: 301,
      port: 8443,
    });
    expect(routes['gw-models'].spec.parentRefs).toEqual([{ name: 'gw', sectionName: 'https' }]);
    expect(only(objects, 'Certificate').spec).toMatchObject({ secretName: 'gw-https-tls', dnsNames: ['llm.example.com'] });
  });
});
