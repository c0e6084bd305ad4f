import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExampleSwitches } from '../support/examples';
import { ExplainCommand, explainFixture } from '../support/explain-command';

interface Case {
  readonly example: string;
  readonly switches?: ExampleSwitches;
  readonly args: readonly string[];
}

/** Each golden file, with the question that it answers. `UPDATE_GOLDEN=1` writes them anew. */
const GOLDENS: Readonly<Record<string, Case>> = {
  idle: { example: 'guide', args: ['--request', explainFixture('question.json'), '--client', 'alice'] },
  busy: {
    example: 'guide',
    args: ['--request', explainFixture('question.json'), '--endpoint-state', explainFixture('busy.yaml')],
  },
  'class-header': { example: 'guide', args: ['--request', explainFixture('question.json'), '--header', 'X-Model-Class=small'] },
  full: {
    example: 'guide',
    args: [
      '--request',
      explainFixture('question.json'),
      '--header',
      'x-model-class=small',
      '--endpoint-state',
      explainFixture('full.yaml'),
    ],
  },
  routes: {
    example: 'guide',
    switches: { GATEWAY: 'istio', ATTACH: 'pool' },
    args: ['--request', explainFixture('question.json'), '--header', 'x-model-class=large'],
  },
  'no-route': {
    example: 'guide',
    switches: { GATEWAY: 'istio', ATTACH: 'pool' },
    args: ['--request', explainFixture('question.json'), '--path', '/metrics', '--method', 'GET'],
  },
  weights: { example: 'canary', args: ['--request', explainFixture('assistant.json'), '--seed', '3'] },
  sticky: {
    example: 'canary',
    args: ['--request', explainFixture('assistant.json'), '--header', 'x-session-id=alice-1'],
  },
  'unknown-model': { example: 'canary', args: ['--request', explainFixture('unknown.json')] },
};

const command = new ExplainCommand();
const { folder } = command;
const run = (args: readonly string[]) => command.run(args);
const manifestsOf = ({ example, switches }: Case): string => command.manifestsOf(example, switches);

afterAll(() => command.close());

test.each(Object.entries(GOLDENS))('%s is explained', async (name, one) => {
  const { code, out } = await run([...one.args, manifestsOf(one)]);
  const golden = path.join(__dirname, 'explain', `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, out);
  expect([code, out]).toEqual([0, readFileSync(golden, 'utf8')]);
});

test('JSON has the same decision, with the inputs of every endpoint', async () => {
  const one = GOLDENS['busy']!;
  const { out } = await run([...one.args, '--json', manifestsOf(one)]);
  const { scheduling, decision, model } = JSON.parse(out);
  expect([model.name, model.rule, scheduling.pool]).toEqual(['llama-3-70b', 'body', 'llama-3-70b']);
  expect(scheduling.endpoints.map(({ name, verdict }: { name: string; verdict: string }) => [name, verdict])).toContainEqual([
    'llama-2',
    'not-ready',
  ]);
  const chosen = scheduling.endpoints.find((entry: { chosen?: number }) => entry.chosen === 1);
  expect(decision).toMatchObject({ kind: 'route', endpoints: [chosen.endpoint] });
  expect(scheduling.endpoints.find(({ name }: { name: string }) => name === 'llama-0').inputs).toMatchObject({
    waiting: 2,
    running: 12,
    inFlight: 14,
    cachedTokens: 64,
  });
});

test('a weight is followed as often as it says', async () => {
  const one = GOLDENS['weights']!;
  const pools = new Map<string, number>();
  for (let seed = 0; seed < 40; seed++) {
    const { out } = await run([...one.args.slice(0, 2), '--json', '--seed', String(seed), manifestsOf(one)]);
    const { pool } = JSON.parse(out).scheduling;
    pools.set(pool, (pools.get(pool) ?? 0) + 1);
  }
  expect([...pools.keys()].sort()).toEqual(['qwen25-pool', 'qwen3-pool']);
  expect(pools.get('qwen25-pool')).toBeGreaterThan(25);
});

test('pods of a cluster take the place of the replicas, and the fallback pool that of a pool without a ready one', async () => {
  const file = manifestsOf(GOLDENS['weights']!);
  const text = JSON.parse(readFileSync(explainFixture('pods.json'), 'utf8'));
  const [pod] = text.endpoints;
  pod.labels = { ...podLabels(readFileSync(file, 'utf8'), 'qwen3'), 'pod-template-hash': '7c9f6' };
  const spare = { ...pod, name: 'qwen25-6d5b-aaaaa', address: '10.0.3.10', hostPort: '10.0.3.10:8000', ready: true };
  spare.labels = { ...podLabels(readFileSync(file, 'utf8'), 'qwen25'), 'pod-template-hash': '6d5b' };
  const state = path.join(folder, 'pods.json');
  writeFileSync(state, JSON.stringify({ ...text, endpoints: [pod, spare] }));
  const request = path.join(folder, 'next.json');
  writeFileSync(request, JSON.stringify({ model: 'assistant-next', messages: [{ role: 'user', content: 'Hello' }] }));
  const { code, out } = await run(['--request', request, '--endpoint-state', state, file]);
  expect(code).toBe(0);
  expect(out).toContain('pool qwen3-pool: 0 ready endpoints, so the next one is tried');
  expect(out).toContain('pool qwen25-pool: 1 ready endpoint');
  expect(out).toMatch(/Decision\n {2}qwen25-6d5b-aaaaa \(10\.0\.3\.10:8000\)\n$/);
});

test.each([
  ['no question', [], 2, 'AIG600 explain needs one of --request and --picker'],
  ['two questions', ['--request', 'a', '--picker', 'http://127.0.0.1:9091'], 2, 'AIG600 explain needs one of'],
  ['an unknown flag', ['--reqest', 'a'], 2, "AIG600 Unknown option '--reqest'"],
  [
    'a header without a value',
    ['--request', 'a', '--header', 'x-model-class'],
    2,
    "AIG600 --header has a wrong value (got 'x-model",
  ],
  ['a path without a slash', ['--request', 'a', '--path', 'v1'], 2, 'AIG600 --path has a wrong value'],
  ['a seed that is none', ['--request', 'a', '--seed', '1.5'], 2, 'AIG600 --seed has a wrong value'],
  ['a state for a live picker', ['--picker', 'http://127.0.0.1:9091', '--seed', '1'], 2, 'AIG600 --seed says nothing about'],
  ['a picker that is no address', ['--picker', 'localhost'], 2, 'AIG600 --picker has a wrong value'],
  ['a request that is not there', ['--request', '/no/such.json'], 1, 'AIG607 the file of --request cannot be read'],
] as const)('%s is refused by code', async (_what, args, code, message) => {
  const result = await run(args);
  expect([result.code, result.err]).toEqual([code, expect.stringContaining(message)]);
});

test.each([
  ['an unknown key', '{endpoints: [{name: qwen3-0, wating: 1}]}', "AIG502 unknown key 'endpoints[0].wating'"],
  [
    'a share in percent',
    '{endpoints: [{name: qwen3-0, kvUsageRatio: 80}]}',
    "AIG503 'endpoints[0].kvUsageRatio' has a wrong value",
  ],
  ['a replica that there is not', '{endpoints: [{name: qwen3-9}]}', "AIG608 endpoint 'qwen3-9' is in no pool"],
  ['no list', '{}', "AIG504 'endpoints' is missing"],
  [
    'a request that it cannot have served',
    '{endpoints: [{name: qwen3-0, served: [unknown.json]}]}',
    'AIG608 the endpoint cannot have served',
  ],
])('%s in the state of endpoints is refused by code and place', async (_what, text, message) => {
  const state = path.join(folder, 'state.yaml');
  writeFileSync(state, text);
  writeFileSync(path.join(folder, 'unknown.json'), readFileSync(explainFixture('unknown.json')));
  const { code, err } = await run([
    '--request',
    explainFixture('assistant.json'),
    '--endpoint-state',
    state,
    manifestsOf(GOLDENS['weights']!),
  ]);
  expect(code).toBe(1);
  expect(err).toContain(message);
  expect(err).toMatch(/\[\/state\.yaml:1:\d+\]/);
});

test('a control header of a client is told to be removed', async () => {
  const one = GOLDENS['idle']!;
  const { err } = await run([...one.args, '--header', 'x-aig-client-id=root', manifestsOf(one)]);
  expect(err).toContain('NOTE header x-aig-client-id is removed at the gateway');
});

/** Labels of the pods of a Deployment. */
function podLabels(text: string, name: string): Record<string, string> {
  const part = text
    .split('---\n')
    .find((document) => /^kind: Deployment$/m.test(document) && document.includes(`\n  name: ${name}\n`))!;
  const [, lines] = /template:\n {4}metadata:\n(?: {6}annotations:\n(?: {8}.*\n)+)? {6}labels:\n((?: {8}.*\n)+)/.exec(part)!;
  return Object.fromEntries(
    lines!
      .trim()
      .split('\n')
      .map((line) => line.trim().split(': ') as [string, string]),
  );
}
