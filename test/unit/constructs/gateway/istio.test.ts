import { AttachMode, ClientIdentity, GatewayImplementation, PickerDelivery, warningsBelow } from '../../../../src';
import { GatewayProgram, ofKind, only, refusal } from '../../../support/gateway-program';

describe('Istio with tokens of clients', () => {
  const program = new GatewayProgram();
  const identity = ClientIdentity.jwt({ issuer: 'https://issuer.example', audiences: ['llm'], tenantClaim: 'org.name' });
  program.gateway(GatewayImplementation.istio(), { identity }).addModel('m', { pool: program.pool('one') });
  const objects = program.synth();
  const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }];

  test('the gateway verifies them, and overwrites the headers that name the client', () => {
    const { targetRefs: target, jwtRules } = only(objects, 'RequestAuthentication').spec;
    expect(target).toEqual(targetRefs);
    expect(jwtRules).toEqual([
      {
        issuer: 'https://issuer.example',
        audiences: ['llm'],
        jwksUri: 'https://issuer.example/.well-known/jwks.json',
        forwardOriginalToken: false,
        outputClaimToHeaders: [
          { claim: 'sub', header: 'x-aig-client-id' },
          { claim: 'org.name', header: 'x-aig-tenant' },
        ],
      },
    ]);
  });

  test('nobody reaches the models without one, and other paths stay open', () => {
    expect(only(objects, 'AuthorizationPolicy').spec).toEqual({
      targetRefs,
      action: 'DENY',
      rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }], to: [{ operation: { paths: ['/v1', '/v1/*'] } }] }],
    });
  });
});

describe('Istio in pool mode', () => {
  const program = new GatewayProgram();
  program.gateway(GatewayImplementation.istio()).addModel('m', { pool: program.pool('one') });
  const objects = program.synth();

  test('the gateway speaks TLS to the picker, by a DestinationRule', () => {
    expect(only(objects, 'DestinationRule').spec).toEqual({
      host: 'one-picker.ai.svc.cluster.local',
      trafficPolicy: { tls: { mode: 'SIMPLE', insecureSkipVerify: true } },
    });
    const service = ofKind(objects, 'Service')['one-picker'];
    expect(service.spec.ports[0].appProtocol).toBeUndefined();
  });

  test('rules have no names: Istio keeps picker settings by them, over all routes of a host', () => {
    expect(only(objects, 'HTTPRoute').spec.rules[0].name).toBeUndefined();
  });

  test('an InferencePool is referred to without a port', () => {
    expect(only(objects, 'HTTPRoute').spec.rules[0].backendRefs).toEqual([
      { group: 'inference.networking.k8s.io', kind: 'InferencePool', name: 'one' },
    ]);
  });

  test('silent streams end, which Istio alone never does', () => {
    const { value } = only(objects, 'EnvoyFilter').spec.configPatches[0].patch;
    expect(value.typed_config.stream_idle_timeout).toBe('300s');
  });

  test('the EnvoyFilter does not touch the filter that Istio itself names ext_proc', () => {
    expect(JSON.stringify(only(objects, 'EnvoyFilter'))).not.toContain('envoy.filters.http.ext_proc');
  });

  test('CORS is refused: it would silently turn the picker off', () => {
    const other = new GatewayProgram();
    const gateway = other.gateway(GatewayImplementation.istio(), { cors: { allowOrigins: ['https://chat.example.com'] } });
    gateway.addModel('m', { pool: other.pool('one') });
    const message = refusal(() => other.synth());
    expect(message).toMatch(
      /AIG478 .*CORS filter on a rule with an InferencePool silently disables its picker.*sidecar mode.*\[llm\/gw\]/s,
    );
  });

  test('CORS works in sidecar mode', () => {
    const other = new GatewayProgram();
    const cors = { allowOrigins: ['https://chat.example.com'] };
    other.gateway(GatewayImplementation.istio(), { cors, attach: AttachMode.SIDECAR }).addModel('m', { pool: other.pool('one') });
    expect(only(other.synth(), 'HTTPRoute').spec.rules[0].filters[0].cors.allowOrigins).toEqual(cors.allowOrigins);
  });

  test('weights between pools are refused: only the last one’s picker would be asked', () => {
    const other = new GatewayProgram();
    const gateway = other.gateway(GatewayImplementation.istio(), { attach: AttachMode.POOL, defaultModel: 'm' });
    gateway.addModel('m', {
      targets: [
        { pool: other.pool('one'), weight: 9 },
        { pool: other.pool('two'), weight: 1 },
      ],
    });
    expect(refusal(() => other.synth())).toMatch(/AIG478 .*weights between pools.*only the last one’s picker is asked/s);
  });

  test('header classes choose pools, and the lost body routing is said', () => {
    const other = new GatewayProgram();
    const gateway = other.gateway(GatewayImplementation.istio(), {
      attach: AttachMode.POOL,
      headerClasses: { small: 'b' },
      defaultModel: 'a',
    });
    gateway.addModel('a', { pool: other.pool('one') });
    gateway.addModel('b', { pool: other.pool('two') });
    const { rules } = only(other.synth(), 'HTTPRoute').spec;
    expect(rules.map((rule: any) => [rule.matches[0].headers?.[0].value, rule.backendRefs[0].name])).toEqual([
      ['small', 'two'],
      [undefined, 'one'],
    ]);
    expect(warningsBelow(other.app).map(({ message }) => message)).toEqual([
      expect.stringContaining("the body's model does not choose the pool"),
    ]);
  });

  test('a pool that no rule reaches is refused', () => {
    const other = new GatewayProgram();
    const gateway = other.gateway(GatewayImplementation.istio(), { attach: AttachMode.POOL, defaultModel: 'a' });
    gateway.addModel('a', { pool: other.pool('one') });
    gateway.addModel('b', { pool: other.pool('two') });
    expect(refusal(() => other.synth())).toMatch(/AIG474 .*'?two/s);
  });

  test('each pool has its own picker, in its own namespace', () => {
    expect(Object.keys(ofKind(objects, 'Deployment'))).toEqual(['one-engine', 'one-picker']);
    expect(ofKind(objects, 'Deployment')['one-picker'].metadata.namespace).toBe('ai');
  });

  test('the picker of a pool may differ from that of the gateway', () => {
    const other = new GatewayProgram();
    const pool = other.pool('one', { picker: { replicas: 4, delivery: PickerDelivery.image('registry.example.com/p:2.0.0') } });
    other.gateway(GatewayImplementation.istio()).addModel('m', { pool });
    expect(ofKind(other.synth(), 'Deployment')['one-picker'].spec.replicas).toBe(4);
  });
});
