import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { holds, PickerBehindEnvoy, scratchFolder, send } from './behind-envoy';

const KEYS = {
  alice: 'alice-key-0123456789',
  bob: 'bob-key-0123456789ab',
  steady: 'steady-key-012345678',
  cutter: 'cutter-key-012345678',
};
const as = (client: keyof typeof KEYS): Record<string, string> => ({ authorization: `Bearer ${KEYS[client]}` });

const policy = (folder: string, limits: string): string => `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools:
  - { name: llama, endpoints: { file: { path: ${folder}/llama.yaml } } }
  - { name: echo, endpoints: { file: { path: ${folder}/echo.yaml } } }
models:
  - { name: llama, targets: [{ pool: llama }] }
  - { name: echo, targets: [{ pool: echo }] }
identity: { source: apiKeys, directory: ${folder}/keys }
store: { memory: { file: ${folder}/limits.snapshot } }
limits:
${limits}`;

const WIDE = '  - { name: wide, unit: tokens, amount: 10000000, windowSeconds: 86400, key: { source: client } }\n';
const AT_ONCE = '  - { name: at-once, unit: concurrent, amount: 1, key: { source: client }, models: [llama] }\n';
const SMALL = '  - { name: small, unit: tokens, amount: 400, windowSeconds: 60, key: { source: client }, models: [echo] }\n';

describeWith(['envoy'], 'API keys and token budgets behind real Envoy', ({ envoy }) => {
  const { folder, remove } = scratchFolder();
  let engine: RunningEngine;
  let echo: Server;
  let world: PickerBehindEnvoy;
  let seen: { headers: IncomingHttpHeaders; body: string } = { headers: {}, body: '' };
  /** What the engine `echo` answers with. */
  let usage = { prompt_tokens: 10, completion_tokens: 10 };

  beforeAll(async () => {
    engine = await runEngine({ models: ['llama'], speed: 20, meanOutputTokens: 40 });
    echo = createServer((incoming, answer) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', () => {
        seen = { headers: incoming.headers, body: Buffer.concat(chunks).toString() };
        answer.setHeader('content-type', 'application/json');
        answer.end(JSON.stringify({ object: 'chat.completion', model: 'echo', choices: [], usage }));
      });
    });
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
    const pools = { llama: engine.port, echo: (echo.address() as AddressInfo).port };
    for (const [name, port] of Object.entries(pools)) {
      const endpoints = [{ name, address: '127.0.0.1', port: String(port) }];
      writeFileSync(path.join(folder, `${name}.yaml`), JSON.stringify({ endpoints }));
    }
    mkdirSync(path.join(folder, 'keys'));
    for (const [client, key] of Object.entries(KEYS)) writeFileSync(path.join(folder, 'keys', client), `${key}\n`);
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + SMALL));
    world = await PickerBehindEnvoy.start(envoy, folder, pools);
  }, 60_000);

  afterAll(async () => {
    await world?.stop();
    await engine?.close();
    echo?.close();
    remove();
  });

  test.each([
    ['no key', {}, 'Bearer'],
    ['a wrong key', { authorization: 'Bearer wrong-key-0123456789' }, 'Bearer error="invalid_token"'],
    ['another scheme', { authorization: `Basic ${KEYS.alice}` }, 'Bearer'],
  ])('%s gets 401 and hears no names of models', async (_, headers, challenge) => {
    const answer = await world.chat(headers, { model: 'no-such-model' });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challenge]);
    expect(JSON.parse(answer.body).error.type).toBe('authentication_error');
    expect(answer.body).not.toContain('llama');
  });

  test.each([
    ['as a bearer token', as('alice')],
    ['bare', { authorization: KEYS.alice }],
    ["in Anthropic's header", { 'x-api-key': KEYS.alice }],
  ])('a key is taken %s, and the engine does not see it', async (_, headers) => {
    expect((await world.chat({ ...headers, 'x-aig-client-id': 'bob' }, { model: 'echo', max_tokens: 5 })).status).toBe(200);
    expect(JSON.stringify(seen.headers)).not.toContain(KEYS.alice);
    expect(seen.headers['x-aig-client-id']).toBeUndefined();
  });

  test('a stream reaches a client byte by byte as without a budget: the usage it did not ask for is taken out', async () => {
    const answer = await world.chat(as('alice'), { stream: true, seed: 3, max_tokens: 20 });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toMatch(/"choices":\[\]/);
    expect(answer.body.trimEnd().endsWith('data: [DONE]')).toBe(true);
    const asked = await world.chat(as('alice'), { stream: true, max_tokens: 20, stream_options: { include_usage: true } });
    expect(asked.body).toMatch(/"choices":\[\],"usage":\{/);
  });

  test('a client that used up its budget gets 429 that says when to come back, and another does not', async () => {
    usage = { prompt_tokens: 100, completion_tokens: 200 };
    expect((await world.chat(as('bob'), { model: 'echo', max_tokens: 10 })).status).toBe(200);
    usage = { prompt_tokens: 10, completion_tokens: 10 };
    const refused = await world.chat(as('bob'), { model: 'echo', max_tokens: 200 });
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body).error).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' });
    const waitMs = Number(refused.headers['retry-after-ms']);
    expect(waitMs).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBe(Math.ceil(waitMs / 1e3));
    expect(refused.headers).toMatchObject({
      'x-ratelimit-limit-tokens': '400',
      'x-ratelimit-remaining-tokens': '100',
      'ratelimit-policy': '"small";q=400;w=60',
    });
    const other = await world.chat(as('steady'), { model: 'echo', max_tokens: 100 });
    expect(other.status).toBe(200);
    expect(other.headers['x-ratelimit-limit-tokens']).toBe('400');
    expect(world.picker.output()).toMatch(/"audit":"limit".*"limit":"small","key":"bob"/);
  });

  test('a limit of requests at one time lets a client in again when an answer has ended', async () => {
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + SMALL + AT_ONCE));
    await holds(async () => expect((await world.limits()).map(({ name }) => name)).toContain('at-once'));
    const long = { stream: true, max_tokens: 60, ignore_eos: true };
    const running = world.chat(as('alice'), long);
    await holds(async () => {
      const refused = await world.chat(as('alice'), { max_tokens: 1 });
      expect(refused.status).toBe(429);
      expect(JSON.parse(refused.body).error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' });
    });
    expect((await world.chat(as('bob'), { max_tokens: 1 })).status).toBe(200);
    expect((await running).status).toBe(200);
    await holds(async () => expect((await world.chat(as('alice'), { max_tokens: 1 })).status).toBe(200));
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + SMALL));
    await holds(async () => expect(await world.limits()).toHaveLength(2));
  });

  test('a limit that cuts answers tells the engine what is left, and the answer keeps within it', async () => {
    const cut = SMALL.replace('small', 'cut').replace('models: [echo]', 'clamp: true, models: [echo]');
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + cut));
    await holds(async () => expect((await world.limits()).map(({ name }) => name)).toContain('cut'));
    expect((await world.chat(as('cutter'), { model: 'echo', max_tokens: 30_000 })).status).toBe(200);
    const { max_tokens: bound } = JSON.parse(seen.body) as { max_tokens: number };
    expect(bound).toBeGreaterThan(300);
    expect(bound).toBeLessThan(400);
    expect((await world.chat(as('cutter'), { model: 'echo', n: 2 })).status).toBe(200);
    expect(JSON.parse(seen.body).max_tokens).toBeLessThan(200);
    expect((await world.chat(as('cutter'), { model: 'echo', max_tokens: 3 })).status).toBe(200);
    expect(JSON.parse(seen.body).max_tokens).toBe(3);
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + SMALL));
    await holds(async () => expect((await world.limits()).map(({ name }) => name)).toContain('small'));
  });

  test('a prompt that no window can hold gets 400 and no word of coming back', async () => {
    const answer = await world.chat(as('bob'), { model: 'echo', messages: [{ role: 'user', content: 'word '.repeat(4_000) }] });
    expect([answer.status, answer.headers['retry-after']]).toEqual([400, undefined]);
  });

  test('a key that is taken away stops within a second, and a rotated one works beside the old', async () => {
    const file = path.join(folder, 'keys/alice');
    writeFileSync(file, `${KEYS.alice}\nalice-next-0123456789\n`);
    await holds(async () => {
      const answer = await world.chat({ authorization: 'Bearer alice-next-0123456789' }, { model: 'echo', max_tokens: 1 });
      expect(answer.status).toBe(200);
    });
    rmSync(file);
    const removedAt = performance.now();
    await holds(async () => expect((await world.chat(as('alice'), { model: 'echo', max_tokens: 1 })).status).toBe(401));
    expect(performance.now() - removedAt).toBeLessThan(1_000);
    expect(world.picker.output()).not.toContain(KEYS.alice);
  });

  test('a client sees and uses the models of its list; another is to it as none at all', async () => {
    const lists = 'access: { clients: { bob: [echo] }, others: [llama, echo] }\n';
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE).replace('limits:\n', `${lists}limits:\n`));
    const models = async (client: keyof typeof KEYS): Promise<string[]> => {
      const { body } = await send(world.port, 'GET', '/v1/models', as(client));
      return (JSON.parse(body) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    await holds(async () => expect(await models('bob')).toEqual(['echo']));
    expect(await models('steady')).toEqual(['echo', 'llama']);
    expect((await world.chat(as('bob'), { model: 'echo', max_tokens: 1 })).status).toBe(200);
    const hidden = await world.chat({ ...as('bob'), 'x-aig-client-id': 'steady' }, { model: 'llama', max_tokens: 1 });
    expect([hidden.status, hidden.body]).toEqual([404, expect.stringContaining('there are: echo')]);
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + SMALL));
    await holds(async () => expect(await models('bob')).toHaveLength(2));
  });

  test.each([
    'SIGKILL',
    'SIGTERM',
  ] as const)('a picker that ends by %s has forgotten nothing when it is started again', async (signal) => {
    const client = signal === 'SIGKILL' ? 'killed' : 'stopped';
    const key = `${client}-key-0123456789`;
    writeFileSync(path.join(folder, 'keys', client), key);
    await holds(async () => {
      expect((await world.chat({ authorization: key }, { model: 'echo', max_tokens: 1 })).status).toBe(200);
    });
    const used = async (): Promise<unknown> =>
      (await world.limits()).find(({ name }) => name === 'wide')!.highest.find((entry) => entry['key'] === client)?.['used'];
    expect(await used()).toBe(20);
    const file = path.join(folder, 'limits.snapshot');
    if (signal === 'SIGKILL') await holds(async () => expect(readFileSync(file, 'utf8')).toContain(`"${client}"`));
    await world.restartPicker(signal);
    expect(await used()).toBe(20);
  });

  test('a changed limit keeps what was used, and a removed one is gone', async () => {
    const raised = SMALL.replace('400', '500');
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE + raised));
    await holds(async () => {
      const answer = await world.chat(as('bob'), { model: 'echo', max_tokens: 1 });
      expect(answer.headers['x-ratelimit-limit-tokens']).toBe('500');
      expect(Number(answer.headers['x-ratelimit-remaining-tokens'])).toBeLessThan(220);
    });
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, WIDE));
    await holds(async () => expect((await world.limits()).map(({ name }) => name)).toEqual(['wide']));
    expect((await world.chat(as('bob'), { model: 'echo', max_tokens: 600 })).status).toBe(200);
  });
});
