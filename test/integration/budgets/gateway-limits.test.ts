import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { eventually } from '../../components/process';
import { type Answer, connectionManager, PickerBehindEnvoy, scratchFolder, send } from './behind-envoy';

const as = (client: string): Record<string, string> => ({ authorization: `Bearer ${client}-key-0123456789` });

const policy = (folder: string): string => `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools:
  - { name: llama, endpoints: { file: { path: ${folder}/llama.yaml } } }
models:
  - { name: llama, targets: [{ pool: llama }] }
  - { name: other, targets: [{ pool: llama, model: llama }] }
identity: { source: apiKeys, directory: ${folder}/keys }
limits:
  - { name: team, unit: tokens, amount: 100, windowSeconds: 60, key: { source: client }, enforcedBy: gateway }
  - { name: dear, unit: tokens, amount: 100, windowSeconds: 60, key: { source: all }, models: [llama], weights: { output: 3 }, enforcedBy: gateway }
`;

interface Logged {
  readonly client: string | null;
  readonly team: number | null;
  readonly dear: number | null;
}

describeWith(['envoy'], 'what Envoy hears of the tokens that its own limit is to charge', ({ envoy }) => {
  const { folder, remove } = scratchFolder();
  const logFile = path.join(folder, 'access.log');
  let engine: RunningEngine;
  let world: PickerBehindEnvoy;

  beforeAll(async () => {
    engine = await runEngine({ models: ['llama'], speed: 20, meanOutputTokens: 40 });
    writeFileSync(path.join(folder, 'llama.yaml'), `endpoints: [{ name: llama, address: 127.0.0.1, port: '${engine.port}' }]`);
    mkdirSync(path.join(folder, 'keys'));
    for (const client of ['alice', 'bob']) writeFileSync(path.join(folder, 'keys', client), `${client}-key-0123456789\n`);
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder));
    world = await PickerBehindEnvoy.start(envoy, folder, { llama: engine.port }, (bootstrap) => {
      const metadata = (limit: string): string => `%DYNAMIC_METADATA(envoy.lb:x-aig-limit-${limit})%`;
      const json_format = { client: '%REQ(x-aig-limit-team)%', team: metadata('team'), dear: metadata('dear') };
      const config = { '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog', path: logFile };
      const log = { name: 'file', typed_config: { ...config, log_format: { json_format } } };
      Object.assign(connectionManager(bootstrap), { access_log: [log] });
    });
  }, 60_000);

  afterAll(async () => {
    await world?.stop();
    await engine?.close();
    remove();
  });

  let seen = 0;
  async function logged(): Promise<Logged> {
    const lines = (): string[] => readFileSync(logFile, 'utf8').trimEnd().split('\n').filter(Boolean);
    await eventually('Envoy has logged the request', () => lines().length > seen);
    expect(lines()).toHaveLength(seen + 1);
    return JSON.parse(lines()[seen++]!);
  }

  interface Usage {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
  }

  test('a JSON answer: the tokens that the engine counted, and whose they are, whatever the client says', async () => {
    const answer = await world.chat({ ...as('alice'), 'x-aig-limit-team': 'bob', 'x-aig-limit-dear': 'mine' });
    const { prompt_tokens, completion_tokens }: Usage = JSON.parse(answer.body).usage;
    expect(await logged()).toEqual({
      ...{ client: 'alice', team: prompt_tokens + completion_tokens, dear: prompt_tokens + 3 * completion_tokens },
    });
  });

  test('a stream whose client asks for no usage: the same, and the client sees none', async () => {
    const once = { stream: true, seed: 5, max_tokens: 20 };
    const told = await world.chat(as('bob'), { ...once, stream_options: { include_usage: true } });
    const { prompt_tokens, completion_tokens }: Usage = JSON.parse(/^data: (.*"choices":\[\].*)$/m.exec(told.body)![1]!).usage;
    const expected = { client: 'bob', team: prompt_tokens + completion_tokens, dear: prompt_tokens + 3 * completion_tokens };
    expect(await logged()).toEqual(expected);
    const silent = await world.chat(as('bob'), once);
    expect(silent.body).not.toContain('prompt_tokens');
    expect(await logged()).toMatchObject({ client: 'bob', team: expect.any(Number) });
  });

  test('a limit for other models hears nothing', async () => {
    expect((await world.chat(as('alice'), { model: 'other' })).status).toBe(200);
    expect(await logged()).toEqual({ client: 'alice', team: expect.any(Number), dear: null });
  });

  test('an answer that its client leaves is never charged: the weakness that the validation tells of', async () => {
    const body = { model: 'llama', stream: true, max_tokens: 200, messages: [{ role: 'user', content: 'hello' }] };
    const left: Answer = await send(world.port, 'POST', '/v1/chat/completions', as('alice'), body, 1);
    expect(left.status).toBe(200);
    expect(await logged()).toEqual({ client: 'alice', team: null, dear: null });
  });
});
