import { GatewayImplementation } from '../../../../src';
import { GatewayProgram, IMPLEMENTATIONS, ofKind, only, refusal } from '../../../support/gateway-program';

const CORS = { allowOrigins: ['https://chat.example.com'], maxAgeSeconds: 60 };

function synth(implementation: GatewayImplementation, props = {}): ReturnType<GatewayProgram['synth']> {
  const program = new GatewayProgram();
  program.gateway(implementation, props).addModel('m', { pool: program.pool('one') });
  return program.synth();
}

describe('Kong', () => {
  const objects = synth(GatewayImplementation.kong());

  test('answers are not buffered', () => {
    expect(only(objects, 'HTTPRoute').metadata.annotations).toMatchObject({
      'konghq.com/response-buffering': 'false',
      'konghq.com/request-buffering': 'false',
    });
  });

  test('a slow first token outlives Kong’s 60 seconds', () => {
    expect(ofKind(objects, 'Service')['gw-proxy'].metadata.annotations).toMatchObject({
      'konghq.com/read-timeout': '300000',
      'konghq.com/write-timeout': '300000',
    });
  });

  test('only the timeout that Kong reads is emitted, and no rule name', () => {
    const [rule] = only(objects, 'HTTPRoute').spec.rules;
    expect(rule.timeouts).toEqual({ backendRequest: '600s' });
    expect(rule.name).toBeUndefined();
  });

  test('CORS is a plugin on the route, because an unknown filter would make the route invalid', () => {
    const withCors = synth(GatewayImplementation.kong(), { cors: CORS });
    expect(only(withCors, 'KongPlugin')).toMatchObject({ plugin: 'cors', config: { origins: CORS.allowOrigins, max_age: 60 } });
    const route = only(withCors, 'HTTPRoute');
    expect(route.metadata.annotations['konghq.com/plugins']).toBe(only(withCors, 'KongPlugin').metadata.name);
    expect(route.spec.rules[0].filters).toBeUndefined();
  });

  test('an own GatewayClass is marked as unmanaged', () => {
    const gatewayClass = only(synth(GatewayImplementation.kong(), { createGatewayClass: true }), 'GatewayClass');
    expect(gatewayClass.metadata.annotations['konghq.com/gatewayclass-unmanaged']).toBe('true');
    expect(gatewayClass.metadata.namespace).toBeUndefined();
    expect(gatewayClass.spec.controllerName).toBe('konghq.com/kic-gateway-controller');
  });

  test('the proxies of Kong may reach the proxy, by namespace or by the labels given', () => {
    const implementation = GatewayImplementation.kong({ proxyNamespace: 'edge', proxyPodLabels: { app: 'kong' } });
    expect(ofKind(synth(implementation), 'NetworkPolicy')['gw-proxy'].spec.ingress[0].from).toEqual([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'edge' } },
        podSelector: { matchLabels: { app: 'kong' } },
      },
    ]);
  });
});

describe('a generic gateway', () => {
  test('gets standard kinds of Gateway API only', () => {
    const groups = synth(GatewayImplementation.generic({ gatewayClassName: 'other' })).map(
      ({ apiVersion }) => apiVersion.split('/')[0],
    );
    expect([...new Set(groups)].sort()).toEqual([
      'apps',
      'gateway.networking.k8s.io',
      'inference.networking.k8s.io',
      'networking.k8s.io',
      'policy',
      'rbac.authorization.k8s.io',
      'v1',
    ]);
  });

  test('timeouts can be left out for gateways that refuse them', () => {
    const objects = synth(GatewayImplementation.generic({ gatewayClassName: 'gke-l7-rilb', routeTimeouts: false }));
    expect(only(objects, 'HTTPRoute').spec.rules[0].timeouts).toBeUndefined();
  });

  test('CORS is refused', () => {
    expect(refusal(() => synth(GatewayImplementation.generic({ gatewayClassName: 'other' }), { cors: CORS }))).toMatch(/AIG478/);
  });

  test('its GatewayClass cannot be made', () => {
    expect(
      refusal(() => synth(GatewayImplementation.generic({ gatewayClassName: 'other' }), { createGatewayClass: true })),
    ).toMatch(/AIG489/);
  });
});

describe('capability tables', () => {
  test.each(IMPLEMENTATIONS)('%s gives the evidence for each cell, and a reason where it cannot', (_name, make) => {
    const { features, attachModes, attachNotes } = make().adapter.capabilities;
    for (const capability of Object.values(features)) {
      expect(capability.evidence).not.toBe('');
      if (!capability.supported) expect(capability.note).toBeTruthy();
    }
    const missing = ['pool', 'extproc', 'sidecar'].filter((mode) => !attachModes.some(({ name }) => name === mode));
    expect(Object.keys(attachNotes).sort()).toEqual(missing.sort());
  });
});
