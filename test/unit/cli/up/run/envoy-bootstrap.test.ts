import { parse } from 'yaml';
import { sidecarBootstrap } from '../../../../../src/cli/up/run/envoy-bootstrap';
import { synthExample } from '../../../../support/examples';

const original = parse(
  synthExample('guide', { GATEWAY: 'kong' }).objects.find(({ metadata }) => metadata.name === 'ai-gateway-proxy-envoy')!['data']![
    'envoy.yaml' as never
  ],
);
const PORTS = { listen: 1001, admin: 1002, status: 1003 };

const rewritten = (input: unknown, notices: string[] = []) =>
  sidecarBootstrap(
    input,
    PORTS,
    1004,
    (host) => (host.startsWith('llama') ? [2001, 2002] : [2003]),
    (text) => notices.push(text),
  ) as any;

test('everything listens on loopback, on the ports that were given', () => {
  const { admin, static_resources: resources } = rewritten(original);
  const addresses = [admin, ...resources.listeners].map(({ address }) => address.socket_address);
  expect(addresses).toEqual([
    { address: '127.0.0.1', port_value: 1002 },
    { address: '127.0.0.1', port_value: 1001 },
    { address: '127.0.0.1', port_value: 1003 },
  ]);
});

test('clusters lead to the picker, to Envoy itself and to the engines of their Service', () => {
  const clusters: [string, number[]][] = rewritten(original).static_resources.clusters.map((cluster: any) => [
    cluster.name,
    cluster.load_assignment.endpoints[0].lb_endpoints.map((entry: any) => entry.endpoint.address.socket_address.port_value),
  ]);
  expect(Object.fromEntries(clusters)).toEqual({
    picker: [1004],
    admin: [1002],
    'llama-3-70b': [2001, 2002],
    'mistral-7b': [2003],
  });
});

test('filters, routes and load balancing stay as the manifests have them', () => {
  const strip = (text: string): string =>
    text.replace(/"socket_address":\{[^}]*\}/g, '').replace(/"lb_endpoints":\[[^\]]*\]/g, '');
  expect(strip(JSON.stringify(rewritten(original)))).toBe(strip(JSON.stringify(original)));
});

test('TLS and keys of engines are taken out, and that is said', () => {
  const keyed = structuredClone(original);
  const cluster = keyed.static_resources.clusters.find(({ name }: { name: string }) => name === 'mistral-7b');
  cluster.transport_socket = { name: 'envoy.transport_sockets.tls' };
  keyed.static_resources.secrets = [{}];
  const notices: string[] = [];
  const { static_resources: resources } = rewritten(keyed, notices);
  expect([JSON.stringify(resources).includes('transport_sockets'), resources.secrets]).toEqual([false, undefined]);
  expect(notices).toEqual([expect.stringContaining('mistral-7b')]);
});
