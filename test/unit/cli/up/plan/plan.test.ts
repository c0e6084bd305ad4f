import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../../../src/cli/up/plan/kube-objects';
import { planOf } from '../../../../../src/cli/up/plan/plan';
import { EXAMPLES, synthExample } from '../../../../support/examples';

const objects = (text: string): KubeObject[] => parseAllDocuments(text).flatMap((document) => document.toJS() ?? []);

const planned = (text: string, maxReplicas = 2) => {
  const { plan, problems } = planOf(objects(text), { maxReplicas });
  expect(problems).toEqual([]);
  return plan!;
};

const POOL = `apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: { name: phi }
spec: { selector: { matchLabels: { app: phi } }, targetPorts: [{ number: 8000 }], endpointPickerRef: { name: epp } }`;

const ENGINE = `apiVersion: apps/v1
kind: Deployment
metadata: { name: phi }
spec:
  replicas: 3
  template:
    metadata: { labels: { app: phi, tier: gpu } }
    spec: { containers: [{ name: a, args: [--model=phi-4, --port=8000] }] }`;

const PICKER = `apiVersion: v1
kind: Service
metadata: { name: epp }
spec: { selector: { app: epp }, ports: [{ port: 9002 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: the-picker }
spec:
  template:
    metadata: { labels: { app: epp } }
    spec:
      containers: [{ name: epp, args: [--pool-name, phi, --pool-namespace=$(NAMESPACE), --config-file=/config/epp.yaml], volumeMounts: [{ name: c, mountPath: /config }] }]
      volumes: [{ name: c, configMap: { name: epp-config } }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: epp-config }
data: { epp.yaml: 'kind: EndpointPickerConfig' }`;

const join = (...parts: string[]): string => parts.join('\n---\n');

test.each(EXAMPLES)('the example %s has a plan in which every pool of its pickers has engines', (example) => {
  const { pickers, notices } = planned(synthExample(example, { GATEWAY: 'envoy-gateway' }).text);
  expect(pickers.length).toBeGreaterThan(0);
  for (const { pools } of pickers)
    for (const pool of pools) expect([pool.name, pool.engines.length]).toEqual([pool.name, expect.any(Number)]);
  for (const { pools } of pickers) expect(pools.filter(({ engines }) => engines.length === 0)).toEqual([]);
  expect(notices.filter((notice) => notice.includes('no picker'))).toEqual([]);
});

test.each([
  ['envoy-gateway', 'guide', 'sidecar', 1],
  ['istio', 'guide', 'sidecar', 1],
  ['envoy-gateway', 'minimal', 'routes', 1],
  ['istio', 'minimal', 'routes', 1],
  ['kong', 'minimal', 'sidecar', 1],
] as const)('%s runs %s by its %s', (gateway, example, kind, pickers) => {
  const plan = planned(synthExample(example, { GATEWAY: gateway }).text);
  expect([plan.front.kind, plan.pickers.length]).toEqual([kind, pickers]);
});

test('in pool mode the class header leads to its pool, and goes before the rule without it', () => {
  const { front } = planned(synthExample('guide', { GATEWAY: 'istio', ATTACH: 'pool' }).text);
  const routes = front.kind === 'routes' ? front.routes : [];
  expect(routes.map(({ match, targets }) => [match.headers.map(({ value }) => value).join(), targets[0]!.cluster])).toEqual([
    ['small', 'mistral-7b'],
    ['large', 'llama-3-70b'],
    ['', 'llama-3-70b'],
  ]);
});

test('engines are the replicas of the workloads that a pool selects, up to the maximum, which is said', () => {
  const plan = planned(join(POOL, ENGINE), 2);
  expect(plan.engines).toMatchObject([
    { name: 'phi-0', models: ['phi-4'], containerPort: 8000, labels: { app: 'phi', tier: 'gpu' } },
    { name: 'phi-1' },
  ]);
  expect(plan.notices).toContain('Deployment default/phi has 3 replicas, 2 are simulated (--replicas-max)');
  expect(planned(join(POOL, ENGINE), 5).engines).toHaveLength(3);
});

test('an engine is as fast as its model on the accelerator of its nodes, or else on the one that is asked for', () => {
  const on = (model: string, product: string, flags = ''): string =>
    ENGINE.replace('--model=phi-4', `--model=${model}${flags}`).replace(
      'containers:',
      `nodeSelector: { nvidia.com/gpu.product: ${product} }, containers:`,
    );
  const stepMs = (text: string, accelerator?: string): number | undefined => {
    const { plan } = planOf(objects(join(POOL, text)), { maxReplicas: 1, accelerator });
    return plan!.engines[0]!.profile.stepOverheadMs;
  };
  const small = stepMs(on('microsoft/phi-4', 'NVIDIA-H100-80GB-HBM3'))!;
  expect(stepMs(on('microsoft/phi-4', 'NVIDIA-H100-80GB-HBM3'), 'L4')).toBe(small);
  expect(stepMs(ENGINE.replace('--model=phi-4', '--model=microsoft/phi-4'), 'H100')).toBe(small);
  expect(stepMs(on('microsoft/phi-4', 'NVIDIA-A100-SXM4-80GB'))!).toBeGreaterThan(1.3 * small);
  expect(stepMs(on('microsoft/phi-4', 'NVIDIA-H100-80GB-HBM3', ', --tensor-parallel-size=4'))!).toBeLessThan(small / 2);
  expect(stepMs(ENGINE)).toBeUndefined();
});

test('a model that does not fit on the accelerator is simulated as any other, and that is said', () => {
  const text = ENGINE.replace('--model=phi-4', '--model=meta-llama/Llama-3.3-70B-Instruct');
  const { plan } = planOf(objects(join(POOL, text)), { maxReplicas: 1, accelerator: 'L4' });
  expect(plan!.notices).toContain('Deployment default/phi is not simulated as L4: its model does not fit on one');
});

test('an engine that listens on another port than its pool asks is none, and that is said', () => {
  const { plan, problems } = planOf(objects(join(POOL, ENGINE.replace('8000', '9000'))), { maxReplicas: 2 });
  expect([plan, problems.map(({ code }) => code)]).toEqual([undefined, ['AIG604']]);
});

test('a pool of the older generation is the same pool', () => {
  const older = `apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferencePool
metadata: { name: phi }
spec: { selector: { app: phi }, targetPortNumber: 8000, extensionRef: { name: epp } }`;
  expect(planned(join(older, ENGINE)).engines).toEqual(planned(join(POOL, ENGINE)).engines);
});

test('a picker keeps its flags and its configuration, with what its Pod puts into them', () => {
  const [picker] = planned(join(POOL, ENGINE, PICKER)).pickers;
  expect(picker).toMatchObject({
    name: 'the-picker',
    flags: ['--pool-name', 'phi', '--pool-namespace=default', '--config-file=/config/epp.yaml'],
    config: 'kind: EndpointPickerConfig',
    pools: [{ name: 'phi' }],
  });
});

test('a pool whose picker is elsewhere gets one with default scoring, and that is said', () => {
  const { pickers, notices } = planned(join(POOL, ENGINE));
  expect(pickers).toMatchObject([{ name: 'epp', flags: ['--pool-name=phi'], config: undefined }]);
  expect(notices.join()).toContain('no picker of InferencePool default/phi');
});

test.each([
  ['nothing to route to', ENGINE, 'AIG603'],
  ['a pool without engines', POOL, 'AIG604'],
  ['a picker without its ConfigMap', join(POOL, ENGINE, PICKER.split('---').slice(0, 2).join('---')), 'AIG602'],
])('%s is refused', (_name, text, code) => {
  expect(planOf(objects(text), { maxReplicas: 2 }).problems.map((problem) => problem.code)).toContain(code);
});

test('a route that leads to no picker is left out, and that is said', () => {
  const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: docs }
spec: { rules: [{ backendRefs: [{ name: docs, port: 80 }] }] }`;
  const { notices } = planned(join(POOL, ENGINE, route));
  expect(notices).toContain('HTTPRoute default/docs leads to docs without a picker: not served');
});
