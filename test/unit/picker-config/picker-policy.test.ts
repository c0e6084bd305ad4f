import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatPickerPolicy } from '../../../src/picker-config/picker-policy-format';
import { parsePickerPolicy } from '../../../src/picker-config/picker-policy-parser';
import { formatProblem } from '../../../src/shared/problem';

const folder = join(__dirname, '../../fixtures/policy');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const good = files.filter((name) => name.startsWith('good-'));
const bad = files.filter((name) => name.startsWith('bad-'));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

test('there are good and bad policies to read', () => {
  expect([good.length, bad.length].every((count) => count >= 2)).toBe(true);
});

test.each(good)('%s is read and written back as it stands', (name) => {
  const { policy, problems } = parsePickerPolicy(read(name), name);
  expect(problems).toEqual([]);
  expect(formatPickerPolicy(policy!)).toBe(read(name));
});

test.each(bad)('%s is refused for every fault that it names, and no other', (name) => {
  const text = read(name);
  const expected = [...text.matchAll(/^# expect: (AIG\d+) (\d+:\d+) (.*)$/gm)].map(([, code, at, what]) => ({ code, at, what }));
  expect(expected.length).toBeGreaterThan(0);
  const { policy, problems } = parsePickerPolicy(text, name);
  expect(policy).toBeUndefined();
  const found = problems.map((problem) => `${problem.code} ${problem.where} ${formatProblem(problem).slice(7)}`);
  for (const { code, at, what } of expected) {
    expect(found).toContainEqual(expect.stringContaining(`${code} ${name}:${at} ${what}`));
  }
  expect(found).toHaveLength(expected.length);
});

test('the whole policy has its defaults', () => {
  const { policy } = parsePickerPolicy(read('good-full.yaml'), 'p');
  expect(policy!.pools[0]!.endpoints).toEqual({
    kind: 'inferencePool',
    name: 'llama-pool',
    namespace: 'ai-inference',
    group: 'inference.networking.k8s.io',
  });
  expect(policy!.models[1]).toEqual({ name: 'batch', aliases: [], targets: [{ pool: 'bench' }], priority: -1, adapters: [] });
  expect(policy!.identity).toMatchObject({ source: 'jwt', clientClaim: 'sub', tenantClaim: 'org' });
  expect(policy!.limits[0]).toMatchObject({
    weights: { input: 1, output: 3, cached: 0.1 },
    shadow: false,
    onStoreFailure: 'local',
  });
  expect(policy!.limits[1]).toMatchObject({ weights: { input: 1, output: 1, cached: 1 }, onStoreFailure: 'closed' });
  expect(policy!.store!.redis).toMatchObject({ database: 0, keyPrefix: 'aig:' });
  expect(policy!.priorities!.bands[1]).toEqual({
    name: 'batch',
    priority: -1,
    maxRequests: 5000,
    maxBytes: 268435456,
    queueSeconds: 60,
    fairness: 'roundRobin',
    ordering: 'slo',
    ceiling: 0.8,
  });
  expect(policy!.priorities).toMatchObject({
    tenants: [{ name: 'research', priority: -1 }],
    maxRequests: 20_000,
    maxBytes: 2 ** 28,
    waitingRoom: { maxRequests: 50, queueSeconds: 300 },
    saturation: { queueDepth: 8, kvCacheUsage: 0.95 },
  });
});

test('a tenant limit needs an identity that names tenants', () => {
  const text = read('good-full.yaml').replace('  tenantClaim: org\n', '').replace('source: client', 'source: tenant');
  const { problems } = parsePickerPolicy(text, 'p');
  expect(problems.map(formatProblem)).toEqual([
    expect.stringContaining('identity does not name the tenants that access names'),
    expect.stringContaining('set identity.tenantClaim'),
  ]);
});

test('tenants have priorities only where somebody says who they are', () => {
  const text = read('good-full.yaml')
    .replace(/^identity:\n(?: .*\n)+/m, '')
    .replace(/^access:\n(?: .*\n)+/m, '')
    .replace(/^limits:\n(?: .*\n)+/m, '');
  const { problems } = parsePickerPolicy(text, 'p');
  expect(problems.map(formatProblem)).toEqual([expect.stringContaining('AIG514 tenants have priorities, and nothing says who')]);
});

test('no header puts a request before those of others', () => {
  const text = read('good-full.yaml').replace('fairness: roundRobin', 'fairness: none');
  const { problems } = parsePickerPolicy(text, 'p');
  expect(problems.map(formatProblem)).toEqual([
    expect.stringContaining("in band 'batch' a header of the request would put it before the requests of others"),
  ]);
});

test('an EndpointPickerConfig given as a policy is sent to its own flag', () => {
  const { problems } = parsePickerPolicy('apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n', 'p');
  expect(problems[1]!.fix).toContain('--config-file');
});
