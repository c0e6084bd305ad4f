import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { formatFinding, validateManifests } from '../../src/validation';
import type { JsonObject } from '../../src/validation/schema/schema-node';
import { describeWith } from '../components/describe-with';
import { EXAMPLES, type ExampleSwitches, type Synthesized, synthExample } from '../support/examples';
import { envoyGatewayCluster, translateWithEnvoyGateway } from './egctl';
import { expectValid } from './schemas';

const GATEWAYS = ['envoy-gateway', 'istio', 'kong', 'some-other-class'];

const PROGRAMS: readonly (readonly [string, ExampleSwitches])[] = [
  ...EXAMPLES.flatMap((name) => GATEWAYS.map((gateway) => [name, { GATEWAY: gateway }] as const)),
  ['guide', { GATEWAY: 'istio', ATTACH: 'pool' }],
  ...GATEWAYS.flatMap((gateway) =>
    ['v1alpha2', 'v1alpha1'].map((generation) => ['guide', { GATEWAY: gateway, API_GENERATION: generation }] as const),
  ),
];

describe('every emitted document passes its schema and its CEL rules', () => {
  test.each(PROGRAMS)('%s %j', (name, switches) => {
    expectValid(synthExample(name, switches).objects);
  });
});

describe('no rule finds a fault in an example', () => {
  test.each(PROGRAMS)('%s %j', (name, switches) => {
    const { objects } = synthExample(name, switches);
    const findings = validateManifests(
      objects.map((value) => ({ value })),
      { rules: 'all' },
    ).filter(
      // that the old generations are retired is why the switch exists
      ({ code }) => !(code === 'AIG128' && switches.API_GENERATION !== undefined),
    );
    expect(findings.filter(({ severity }) => severity !== 'hint').map(formatFinding)).toEqual([]);
  });
});

describeWith(['egctl'], 'Envoy Gateway accepts and programs every example', ({ egctl }) => {
  test.each(EXAMPLES)('%s', (name) => {
    const { objects } = synthExample(name, { GATEWAY: 'envoy-gateway' });
    expect(translateWithEnvoyGateway(egctl, [...objects, ...surroundings(objects)] as JsonObject[]).complaints).toEqual([]);
  });
});

describeWith(['envoy'], 'Envoy accepts the bootstrap of every sidecar proxy', ({ envoy }) => {
  test.each(PROGRAMS)('%s %j', (name, switches) => {
    for (const bootstrap of bootstraps(synthExample(name, switches).objects)) {
      const folder = mkdtempSync(path.join(tmpdir(), 'bootstrap-'));
      try {
        const file = path.join(folder, 'envoy.yaml');
        writeFileSync(file, bootstrap);
        const { status, stderr } = spawnSync(envoy, ['--mode', 'validate', '-c', file], { encoding: 'utf8', timeout: 30_000 });
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });

  test('sidecar mode has one cluster for each pool', () => {
    const [bootstrap] = bootstraps(synthExample('big-cluster').objects);
    const clusters: { name: string }[] = parse(bootstrap!).static_resources.clusters;
    expect(clusters.map(({ name }) => name)).toEqual([
      'picker',
      'admin',
      'jwks',
      ...Array.from({ length: 8 }, (_, index) => `pool-${index + 1}`),
    ]);
  });
});

function bootstraps(objects: readonly Synthesized[]): string[] {
  return objects.flatMap((object) => {
    const data = object['data'] as { [file: string]: string } | undefined;
    return object.kind === 'ConfigMap' && data?.['envoy.yaml'] !== undefined ? [data['envoy.yaml']] : [];
  });
}

/** What a cluster has beside the example: the class, the Gateway of somebody else, the certificate. */
function surroundings(objects: readonly Synthesized[]): unknown[] {
  const owned = objects.some((object) => object.kind === 'Gateway');
  return [
    ...envoyGatewayCluster('ai-inference', 'gateway-system', 'team-chat', 'ml-serving'),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'ai-gateway-cert', namespace: 'gateway-system' },
      data: { 'tls.crt': fixture('example.crt'), 'tls.key': fixture('example.key') },
    },
    ...(owned
      ? []
      : [
          {
            apiVersion: 'gateway.networking.k8s.io/v1',
            kind: 'Gateway',
            metadata: { name: 'company-gateway', namespace: 'gateway-system' },
            spec: {
              gatewayClassName: 'envoy-gateway',
              listeners: [
                {
                  name: 'https',
                  port: 443,
                  protocol: 'HTTPS',
                  tls: { mode: 'Terminate', certificateRefs: [{ name: 'ai-gateway-cert' }] },
                  allowedRoutes: { namespaces: { from: 'All' } },
                },
              ],
            },
          },
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'playground', namespace: 'team-chat' },
            spec: { clusterIP: '10.96.200.1', selector: { app: 'playground' }, ports: [{ name: 'http', port: 80 }] },
          },
        ]),
  ];
}

function fixture(file: string): string {
  return readFileSync(path.join(__dirname, '../fixtures/tls', file)).toString('base64');
}
