import { parseAllDocuments } from 'yaml';
import { describeWith } from '../components/describe-with';
import { adapted, translateWithEnvoyGateway } from './egctl';

type Json = Record<string, unknown>;

const GOOD = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ai}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ai, namespace: llm}
spec:
  gatewayClassName: ai
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: llama, namespace: llm}
spec:
  parentRefs: [{name: ai}]
  rules: [{backendRefs: [{name: llama, port: 8000}], timeouts: {request: 3600s}}]
---
apiVersion: v1
kind: Service
metadata: {name: llama, namespace: llm}
spec: {selector: {app: llama}, ports: [{name: http, port: 8000}]}
---
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: llama, namespace: llm}
spec: {selector: {matchLabels: {app: llama}}, targetPorts: [{number: 8000}], endpointPickerRef: {name: epp, port: {number: 9002}}}
`;

const parse = (text: string): Json[] => parseAllDocuments(text).map((document) => document.toJS() as Json);

/** The good set with one object changed. */
function changed(kind: string, change: (object: Json) => Json | undefined): Json[] {
  return parse(GOOD).flatMap((object) => {
    const kept = object['kind'] === kind ? change(object) : object;
    return kept === undefined ? [] : [kept];
  });
}

describe('what is given to egctl', () => {
  it('has no kind that its scheme lacks', () => {
    expect(adapted(parse(GOOD)).map(({ kind }) => kind)).toEqual(['GatewayClass', 'Gateway', 'HTTPRoute', 'Service']);
  });

  it('has an address for every Service, one each, and keeps one that was given', () => {
    const service = (clusterIP?: string): Json => ({
      apiVersion: 'v1',
      kind: 'Service',
      spec: clusterIP === undefined ? {} : { clusterIP },
    });
    const addresses = adapted([service(), service('None'), service('10.1.2.3')]).map(({ spec }) => (spec as Json)['clusterIP']);
    expect(addresses).toEqual(['10.96.0.1', '10.96.0.2', '10.1.2.3']);
  });
});

describeWith(['egctl'], 'translation by Envoy Gateway', ({ egctl }) => {
  it('passes a good set and gives the xDS of its Gateway', () => {
    const { complaints, xds, resources } = translateWithEnvoyGateway(egctl, parse(GOOD));
    expect(complaints).toEqual([]);
    expect(Object.keys(xds)).toEqual(['llm/ai']);
    expect(JSON.stringify(xds['llm/ai'])).toContain('10.96.0.4');
    expect(resources['httpRoutes']).toHaveLength(1);
  }, 30_000);

  it.each<[string, Json[], RegExp]>([
    [
      'an unknown field',
      changed('HTTPRoute', (route) => ({ ...route, spec: { ...(route['spec'] as Json), nonsense: 1 } })),
      /spec\.nonsense: .*unknown field/,
    ],
    [
      'a rule of the schema that fails',
      changed('HTTPRoute', (route) => ({
        ...route,
        spec: {
          ...(route['spec'] as Json),
          rules: [{ backendRefs: [{ name: 'llama', port: 8000 }], timeouts: { request: '1s', backendRequest: '2s' } }],
        },
      })),
      /spec\.rules\[0\]\.timeouts/,
    ],
    [
      'a backend that does not exist, told in status only',
      changed('Service', () => undefined),
      /ResolvedRefs=False BackendNotFound/,
    ],
    ['a missing GatewayClass', changed('GatewayClass', () => undefined), /GatewayClass resource is required/],
  ])(
    'complains about %s',
    (_, manifests, complaint) => {
      const { complaints } = translateWithEnvoyGateway(egctl, manifests);
      expect(complaints.join('\n')).toMatch(complaint);
    },
    30_000,
  );
});
