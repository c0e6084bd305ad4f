import { AttachMode, GatewayImplementation } from '../../../../src';
import { GatewayProgram, IMPLEMENTATIONS, ofKind, only } from '../../../support/gateway-program';

describe('the attach mode follows from the implementation and the number of pools', () => {
  test.each([
    ['envoy-gateway', 'Service', 'one-service'],
    ['istio', 'InferencePool', 'one'],
    ['kong', 'Service', 'gw-proxy'],
    ['generic', 'Service', 'gw-proxy'],
  ])('%s sends one pool to the %s %s', (name, kind, backend) => {
    const program = new GatewayProgram();
    const gateway = program.gateway(implementation(name));
    gateway.addModel('m', { pool: program.pool('one') });
    const [rule] = only(program.synth(), 'HTTPRoute').spec.rules;
    expect(rule.backendRefs[0].kind ?? 'Service').toBe(kind);
    expect(rule.backendRefs[0].name).toBe(backend);
  });

  test.each(IMPLEMENTATIONS)('%s sends several pools to the proxy, where the body chooses', (_name, make) => {
    const program = new GatewayProgram();
    const gateway = program.gateway(make());
    gateway.addModel('a', { pool: program.pool('one') });
    gateway.addModel('b', { pool: program.pool('two') });
    const objects = program.synth();
    const [rule] = only(objects, 'HTTPRoute').spec.rules;
    expect(rule.backendRefs).toEqual([{ name: 'gw-proxy', port: 80 }]);
    expect(Object.keys(ofKind(objects, 'Deployment')).sort()).toEqual(['gw-proxy', 'one-engine', 'two-engine']);
  });

  test('a fallback pool is a second pool', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.istio());
    gateway.addModel('a', { pool: program.pool('one'), fallbackPool: program.pool('two') });
    expect(only(program.synth(), 'HTTPRoute').spec.rules[0].backendRefs[0].name).toBe('gw-proxy');
  });

  test.each(IMPLEMENTATIONS)('%s makes the InferencePool object in every mode, and it names its picker', (_name, make) => {
    const program = new GatewayProgram();
    program.gateway(make()).addModel('a', { pool: program.pool('one') });
    const pool = only(program.synth(), 'InferencePool');
    expect(pool.spec.endpointPickerRef.port).toEqual({ number: 9002 });
    expect(pool.spec.endpointPickerRef.name).toMatch(/^(one-picker|gw-proxy)$/);
  });

  test('a cluster without the InferencePool kind gets no object, and the picker selects by label', () => {
    const program = new GatewayProgram();
    const pool = program.pool('one', { clusterHasInferencePool: false });
    program.gateway(GatewayImplementation.kong()).addModel('a', { pool });
    const objects = program.synth();
    expect(ofKind(objects, 'InferencePool')).toEqual({});
    expect(ofKind(objects, 'ConfigMap')['gw-proxy-config'].data['policy.yaml']).toContain('selector:');
  });

  test('a gateway with routes alone makes nothing else', () => {
    const program = new GatewayProgram();
    program.gateway(GatewayImplementation.kong()).addRoute('ui', { pathPrefix: '/', serviceName: 'ui', servicePort: 80 });
    expect(program.synth().map(({ kind }) => kind)).toEqual(['Gateway', 'HTTPRoute']);
  });

  test('objects can be patched after resolve, and nothing can be added', () => {
    const program = new GatewayProgram();
    const gateway = program.gateway(GatewayImplementation.envoyGateway(), { attach: AttachMode.EXTPROC });
    gateway.addModel('a', { pool: program.pool('one') });
    gateway.resolve();
    expect(() => gateway.addModel('b', { pool: program.pool('two') })).toThrow(/AIG471/);
  });
});

function implementation(name: string): GatewayImplementation {
  return IMPLEMENTATIONS.find(([known]) => known === name)![1]();
}
