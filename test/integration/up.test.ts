import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describeWith } from '../components/describe-with';
import { eventually, freePort, type RunningProcess, startProcess } from '../components/process';
import { synthExample } from '../support/examples';

const ROOT = path.join(__dirname, '../..');
const PROGRAM = path.join(ROOT, 'dist/bin/cdk8s-ai-gateway.js');
const KEY = 'Bearer sk-laptop-not-a-secret';

const PLAIN = `apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: { name: phi, namespace: ai }
spec:
  selector: { matchLabels: { app: phi } }
  targetPorts: [{ number: 8000 }]
  endpointPickerRef: { name: phi-epp, port: { number: 9002 } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: phi, namespace: ai }
spec:
  replicas: 2
  selector: { matchLabels: { app: phi } }
  template:
    metadata: { labels: { app: phi } }
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.30.0
          command: [python3, -m, vllm.entrypoints.openai.api_server]
          args: [--model=microsoft/phi-4, --port, '8000']
          resources: { limits: { nvidia.com/gpu: 1 } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: phi, namespace: ai }
spec:
  parentRefs: [{ name: gateway }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /v1 } }]
      backendRefs: [{ group: inference.networking.k8s.io, kind: InferencePool, name: phi }]
`;

const root = mkdtempSync(path.join(tmpdir(), 'up-test-'));
let folders = 0;

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** An own folder for temporary files, so that what is left in it can be seen. */
function workFolder(): { manifests: string; temporary: string } {
  const folder = path.join(root, String(++folders));
  mkdirSync(path.join(folder, 'tmp'), { recursive: true });
  return { manifests: path.join(folder, 'manifests.yaml'), temporary: path.join(folder, 'tmp') };
}

async function up(
  manifests: string,
  flags: readonly string[],
  ready?: RegExp,
): Promise<RunningProcess & { temporary: string; url: string }> {
  const { manifests: file, temporary } = workFolder();
  const port = await freePort();
  if (manifests.endsWith('.js')) writeFileSync(file, '');
  else writeFileSync(file, manifests);
  const running = await startProcess(process.execPath, {
    args: [PROGRAM, 'up', manifests.endsWith('.js') ? manifests : file, '--port', String(port), '--speed', '4', ...flags],
    env: { TMPDIR: temporary, PATH: '/usr/bin:/bin', ENVOY: '' },
    ...(ready === undefined ? {} : { ready, readyTimeoutMs: 60_000 }),
  });
  return { ...running, temporary, url: `http://127.0.0.1:${port}` };
}

function chat(url: string, model: string, headers: Record<string, string> = {}, more: object = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, max_tokens: 8, messages: [{ role: 'user', content: 'hello' }], ...more }),
  });
}

/** Processes below this one, however deep. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): [number, number][] => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]];
      } catch {
        return [];
      }
    });
  const below = (of: number): number[] => parents.filter(([, parent]) => parent === of).flatMap(([id]) => [id, ...below(id)]);
  return below(pid);
}

describe('up, with the embedded proxy', () => {
  test.each([
    ['Envoy Gateway', synthExample('guide', { GATEWAY: 'envoy-gateway' }).text],
    ['Istio with pools', synthExample('guide', { GATEWAY: 'istio', ATTACH: 'pool' }).text],
    ['Kong', synthExample('guide', { GATEWAY: 'kong' }).text],
    ['YAML that somebody wrote, without a picker', PLAIN],
  ])('every expectation of the tour holds for %s', async (_name, manifests) => {
    const tour = await up(manifests, ['--tour', '--envoy', 'none']);
    const code = await tour.exited;
    const steps = tour
      .output()
      .split('\n')
      .filter((line) => /^[✓✗]/.test(line));
    expect([code, steps.filter((line) => line.startsWith('✗')), code === 0 ? '' : tour.output()]).toEqual([0, [], '']);
    expect(steps.length).toBeGreaterThanOrEqual(5);
    expect(steps.some((line) => line.includes('is killed'))).toBe(true);
    expect(readdirSync(tour.temporary)).toEqual([]);
  });

  test('an app is run, and its manifests with it', async () => {
    const running = await up(path.join(ROOT, 'dist/lib/examples/minimal/main.js'), ['--envoy', 'none'], /Ready: /);
    expect((await chat(running.url, 'llama-3-70b')).status).toBe(200);
    await running.stop('SIGINT');
    expect(readdirSync(running.temporary)).toEqual([]);
  });

  test('--once --json prints the state as one line, and ends', async () => {
    const once = await up(PLAIN, ['--envoy', 'none', '--once', '--json']);
    expect(await once.exited).toBe(0);
    const lines = once
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(lines.map(({ kind }) => kind)).toEqual(['ready', 'state']);
    expect(lines[1].pools).toMatchObject([{ name: 'phi', endpoints: [{ name: 'phi-0', isRunning: true }, { name: 'phi-1' }] }]);
  });

  test('the state has tokens a second, prefix hits and budgets', async () => {
    const running = await up(synthExample('guide', { GATEWAY: 'kong' }).text, ['--envoy', 'none', '--json'], /"kind":"ready"/);
    const prompt = 'A long beginning that an engine keeps in its cache. '.repeat(40);
    const more = { max_tokens: 400, messages: [{ role: 'user', content: prompt }] };
    for (let sent = 0; sent < 4; sent++) await chat(running.url, 'mistral-7b-instruct', { authorization: KEY }, more);
    const states = (): any[] =>
      running
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{"kind":"state"') && line.endsWith('}'))
        .map((line) => JSON.parse(line));
    const mistral = (state: any): any => state.pools.find(({ name }: { name: string }) => name === 'mistral-7b').endpoints[0];
    await eventually('tokens a second, and prefix hits', () =>
      states().some((state) => mistral(state).tokensPerSecond > 0 && mistral(state).prefixHitRatio > 0.3),
    );
    const { budgets, models } = states().at(-1);
    expect(budgets).toMatchObject([
      { name: 'per-client', unit: 'tokens', amount: 100_000, windowSeconds: 60, countedBy: 'client' },
    ]);
    expect(budgets[0].highest).toMatchObject([{ key: 'laptop' }]);
    const [{ used, remaining }] = budgets[0].highest;
    expect(used).toBeGreaterThan(1_000);
    expect(used + remaining).toBe(100_000);
    expect(models).toMatchObject([{ name: 'mistral-7b-instruct', requests: 4, errors: 0 }]);
    await running.stop('SIGINT');
  });

  test('in a terminal it draws the board on a screen of its own, and gives the screen back', async () => {
    const { manifests } = workFolder();
    writeFileSync(manifests, PLAIN);
    const port = await freePort();
    const command = `stty rows 40 columns 120; exec '${process.execPath}' '${PROGRAM}' up '${manifests}' --port ${port} --envoy none`;
    const running = await startProcess('script', {
      args: ['--quiet', '--flush', '--return', '--command', command, '/dev/null'],
      env: { PATH: '/usr/bin:/bin', ENVOY: '', SHELL: '/bin/sh' },
      ready: /POOL \/ ENDPOINT/,
      readyTimeoutMs: 60_000,
    });
    const screen = (): string => running.output();
    expect(screen()).toContain('\x1b[?1049h');
    expect(screen()).not.toContain('\x1b[?1049l');
    await chat(`http://127.0.0.1:${port}`, 'microsoft/phi-4');
    await eventually('the decision on the board', () => /LAST DECISIONS[\s\S]*microsoft\/phi-4 → phi-[01]/.test(screen()));
    const up = descendants(running.pid).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${PROGRAM}\0up`))!;
    const below = descendants(up);
    process.kill(up, 'SIGINT');
    expect(await running.exited).toBe(0);
    expect(screen().trimEnd().endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    expect(below.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  });

  test('a port that is taken is refused by code', async () => {
    const running = await up(PLAIN, ['--envoy', 'none'], /Ready: /);
    const second = await up(PLAIN, ['--envoy', 'none', '--port', new URL(running.url).port]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`AIG605 port ${new URL(running.url).port} is taken`);
    await running.stop('SIGINT');
  });

  test('decisions are lines where the output is no terminal', async () => {
    const running = await up(PLAIN, ['--envoy', 'none'], /Ready: /);
    await chat(running.url, 'microsoft/phi-4');
    await eventually('a line about the decision', () => /^[\d:.]+ microsoft\/phi-4 → phi-[01]/m.test(running.output()));
    await running.stop('SIGINT');
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends everything and leaves nothing behind', async (signal) => {
    const running = await up(synthExample('guide', { GATEWAY: 'kong' }).text, ['--envoy', 'none'], /Ready: /);
    const below = descendants(running.pid);
    expect(below.length).toBeGreaterThan(0);
    process.kill(running.pid, signal);
    expect(await running.exited).toBe(0);
    expect(below.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync(running.temporary)).toEqual([]);
  });

  test('Ctrl-C in the middle of the start leaves nothing behind either', async () => {
    const running = await up(synthExample('guide', { GATEWAY: 'kong' }).text, ['--envoy', 'none'], /Checked: /);
    await eventually('a picker is starting', () => descendants(running.pid).length > 0, 10_000, 5);
    const below = descendants(running.pid);
    process.kill(running.pid, 'SIGINT');
    await running.exited;
    expect(below.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync(running.temporary)).toEqual([]);
  });

  test.each([
    ['while it is looked at', 0],
    ['between two looks', 500],
  ])('a picker that ends %s is told, and ends everything', async (_when, waitMs) => {
    const running = await up(PLAIN, ['--envoy', 'none'], /Ready: /);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    process.kill(descendants(running.pid)[0]!, 'SIGKILL');
    expect(await running.exited).toBe(1);
    expect(running.output()).toContain('picker phi-epp ended with SIGKILL');
    expect(readdirSync(running.temporary)).toEqual([]);
  });

  test.each([
    ['kind: Pod', [], 'apiVersion'],
    ['apiVersion: v1\nkind: Namespace\nmetadata: { name: a }', [], 'AIG603'],
    [PLAIN, ['--replicas-max', '0'], 'AIG600'],
    [PLAIN, ['--envoy', '/no/such/envoy'], '/no/such/envoy'],
  ])('what cannot be run is refused (%#)', async (manifests, flags, said) => {
    const refused = await up(manifests, flags);
    expect(await refused.exited).not.toBe(0);
    expect(refused.output()).toContain(said);
    expect(readdirSync(refused.temporary)).toEqual([]);
  });
});

describeWith(['envoy'], 'up, with Envoy', ({ envoy }) => {
  test('the shipped bootstrap of a sidecar routes by model, class and client', async () => {
    const running = await up(synthExample('guide', { GATEWAY: 'kong' }).text, ['--envoy', envoy], /Ready: .*Envoy/);
    const podFor = async (model: string, headers: Record<string, string> = {}): Promise<unknown> => {
      const answer = await chat(running.url, model, { authorization: KEY, ...headers });
      await answer.text();
      return [answer.status, answer.headers.get('x-inference-pod')];
    };
    expect(await podFor('llama-3-70b')).toEqual([200, expect.stringMatching(/^llama-[01]$/)]);
    expect(await podFor('mistral-7b-instruct')).toEqual([200, 'mistral-0']);
    expect(await podFor('llama-3-70b', { 'x-model-class': 'small' })).toEqual([200, 'mistral-0']);
    expect(await podFor('gpt-9')).toEqual([404, null]);
    expect((await chat(running.url, 'llama-3-70b')).status).toBe(401);
    const stream = await chat(running.url, 'llama-3-70b', { authorization: KEY }, { stream: true });
    expect((await stream.text()).trimEnd().endsWith('data: [DONE]')).toBe(true);
    const below = descendants(running.pid);
    process.kill(running.pid, 'SIGINT');
    expect(await running.exited).toBe(0);
    expect(below.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync(running.temporary)).toEqual([]);
  });

  test('the routes of a gateway lead to the picker of their pool', async () => {
    const { text } = synthExample('guide', { GATEWAY: 'istio', ATTACH: 'pool' });
    const running = await up(text, ['--envoy', envoy], /Ready: .*Envoy, 2 pickers/);
    const podFor = async (headers: Record<string, string>): Promise<unknown> =>
      (await chat(running.url, 'whatever', { authorization: KEY, ...headers })).headers.get('x-inference-pod');
    expect(await podFor({})).toMatch(/^llama-[01]$/);
    expect(await podFor({ 'x-model-class': 'small' })).toBe('mistral-0');
    await running.stop('SIGINT');
  });
});
