import { parse } from 'yaml';
import { ClientIdentity, GatewayImplementation, SecretReference } from '../../../../src';
import { CONTROL_HEADERS } from '../../../../src/shared/control-headers';
import { GatewayProgram, ofKind, only } from '../../../support/gateway-program';

function extproc(props = {}): ReturnType<GatewayProgram['synth']> {
  const program = new GatewayProgram();
  program.gateway(GatewayImplementation.envoyGateway(), props).addModel('m', { pool: program.pool('one') });
  return program.synth();
}

describe('Envoy Gateway with tokens of clients', () => {
  const jwt = { issuer: 'https://issuer.example', audiences: ['llm'] };

  test('a policy on the route verifies them, and overwrites the header that names the client', () => {
    const objects = extproc({ identity: ClientIdentity.jwt(jwt) });
    expect(only(objects, 'SecurityPolicy').spec).toEqual({
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: only(objects, 'HTTPRoute').metadata.name }],
      jwt: {
        providers: [
          {
            name: 'clients',
            ...jwt,
            remoteJWKS: { uri: 'https://issuer.example/.well-known/jwks.json' },
            claimToHeaders: [{ claim: 'sub', header: 'x-aig-client-id' }],
          },
        ],
      },
    });
    const policy = parse(ofKind(objects, 'ConfigMap')['one-picker-config'].data['policy.yaml']);
    expect(policy.identity).toEqual({ source: 'header', removeHeaders: ['authorization'] });
  });

  test('the picker verifies them where it has the keys, and the gateway has no policy', () => {
    const keySet = SecretReference.fromSecretName('issuer-keys', 'jwks.json');
    const objects = extproc({ identity: ClientIdentity.jwt({ ...jwt, keySet, tenantClaim: 'org' }) });
    expect(Object.keys(ofKind(objects, 'SecurityPolicy'))).toEqual([]);
    const policy = parse(ofKind(objects, 'ConfigMap')['one-picker-config'].data['policy.yaml']);
    expect(policy.identity).toEqual({ source: 'jwt', ...jwt, jwksFile: '/etc/picker-jwks/jwks.json', tenantClaim: 'org' });
    const { volumes } = only(
      objects.filter(({ metadata }) => metadata.name === 'one-picker'),
      'Deployment',
    ).spec.template.spec;
    expect(volumes).toContainEqual(expect.objectContaining({ secret: { secretName: 'issuer-keys', defaultMode: 0o440 } }));
  });

  test('the picker takes tokens for known audiences only', () => {
    const keySet = SecretReference.fromSecretName('issuer-keys', 'jwks.json');
    expect(() => ClientIdentity.jwt({ issuer: 'https://issuer.example', keySet })).toThrow(/AIG491 .*list the audiences/);
  });
});

describe('Envoy Gateway in extproc mode', () => {
  const objects = extproc();

  test('bodies go both ways in full duplex, and the policy fails closed, with 503', () => {
    const [extProc] = only(objects, 'EnvoyExtensionPolicy').spec.extProc;
    expect(extProc.processingMode).toEqual({ request: { body: 'FullDuplexStreamed' }, response: { body: 'FullDuplexStreamed' } });
    expect([extProc.failOpen, extProc.statusOnError]).toEqual([false, 503]);
    expect(extProc.backendRef).toBeUndefined();
  });

  test('usage metadata of the picker is let through', () => {
    expect(only(objects, 'EnvoyExtensionPolicy').spec.extProc[0].metadata.writableNamespaces).toEqual(['envoy.lb']);
  });

  test('more than 1,024 answers at once fit, in the picker’s cluster and in the engines’', () => {
    const wide = { maxConnections: 40_000, maxParallelRequests: 40_000, maxPendingRequests: 40_000 };
    expect(only(objects, 'EnvoyExtensionPolicy').spec.extProc[0].backendSettings.circuitBreaker).toEqual(wide);
    expect(only(objects, 'BackendTrafficPolicy').spec.circuitBreaker).toEqual(wide);
  });

  test('a stuck picker ends after the idle timeout', () => {
    expect(only(objects, 'BackendTrafficPolicy').spec.timeout.http).toEqual({
      requestTimeout: '600s',
      streamIdleTimeout: '300s',
    });
  });

  test('the picked endpoint is honoured, and retries walk its list', () => {
    const { loadBalancer, retry } = only(objects, 'BackendTrafficPolicy').spec;
    expect(loadBalancer.endpointOverride.extractFrom).toEqual([{ header: 'x-gateway-destination-endpoint' }]);
    expect(retry).toEqual({
      numRetries: 2,
      retryOn: { triggers: ['connect-failure', 'refused-stream', 'reset-before-request'] },
    });
  });

  test('there is one traffic policy for the rule, on its name', () => {
    const policies = Object.values(ofKind(objects, 'BackendTrafficPolicy'));
    const { rules } = only(objects, 'HTTPRoute').spec;
    expect(policies.map((policy) => policy.spec.targetRefs[0].sectionName)).toEqual(
      rules.map((rule: { name: string }) => rule.name),
    );
  });

  test('control headers of clients are removed before any filter, and not by the route', () => {
    expect(only(objects, 'ClientTrafficPolicy').spec.headers.earlyRequestHeaders.remove).toEqual([...CONTROL_HEADERS]);
    expect(only(objects, 'HTTPRoute').spec.rules[0].filters).toBeUndefined();
  });

  test('Envoy closes streams gracefully, by an EnvoyProxy that the Gateway names', () => {
    expect(only(objects, 'EnvoyProxy').spec.bootstrap.value).toContain('ext_proc_graceful_grpc_close: true');
    expect(only(objects, 'Gateway').spec.infrastructure.parametersRef).toEqual({
      group: 'gateway.envoyproxy.io',
      kind: 'EnvoyProxy',
      name: 'gw-proxy',
    });
  });

  test('an EnvoyProxy of the user is named instead of a second one made', () => {
    const program = new GatewayProgram();
    const implementation = GatewayImplementation.envoyGateway({ envoyProxyName: 'mine' });
    program.gateway(implementation).addModel('m', { pool: program.pool('one') });
    const own = program.synth();
    expect(ofKind(own, 'EnvoyProxy')).toEqual({});
    expect(only(own, 'Gateway').spec.infrastructure.parametersRef.name).toBe('mine');
  });

  test('the picker speaks plaintext, which its Service says', () => {
    const service = ofKind(objects, 'Service')['one-picker'];
    expect(service.spec.ports[0]).toMatchObject({ port: 9002, appProtocol: 'kubernetes.io/h2c' });
    const [container] = ofKind(objects, 'Deployment')['one-picker'].spec.template.spec.containers;
    expect(container.args).toContain('--secure-serving=false');
  });

  test('the route’s backend has an address of its own: Envoy Gateway takes no endpoints from a headless Service', () => {
    expect(ofKind(objects, 'Service')['one-service'].spec.clusterIP).toBeUndefined();
  });

  test('a stream may live as long as the longest answer', () => {
    expect(only(objects, 'HTTPRoute').spec.rules[0].timeouts).toEqual({ request: '600s', backendRequest: '600s' });
  });

  test('no retries means no retry policy', () => {
    expect(only(extproc({ retries: 0 }), 'BackendTrafficPolicy').spec.retry).toBeUndefined();
  });

  test('policies are in the namespace of what they target', () => {
    const apart = extproc({ gatewayNamespace: 'gateways' });
    expect(only(apart, 'ClientTrafficPolicy').metadata.namespace).toBe('gateways');
    expect(only(apart, 'EnvoyProxy').metadata.namespace).toBe('gateways');
    expect(only(apart, 'BackendTrafficPolicy').metadata.namespace).toBe('ai');
    expect(only(apart, 'EnvoyExtensionPolicy').metadata.namespace).toBe('ai');
  });
});
