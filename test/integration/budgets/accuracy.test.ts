import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EngineFaults } from '../../../src/simulation/engine/core/faults';
import type { Sequence } from '../../../src/simulation/engine/core/sequence';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { holds, PickerBehindEnvoy, scratchFolder, send } from './behind-envoy';

const REQUESTS = 200;
/** About half of what is asked for. */
const AMOUNT = 30_000;
/** No window ends while the test runs. */
const YEAR_SECONDS = 366 * 86_400;
const WEIGHTS = { input: 1, output: 2, cached: 0.25 };
/** Those who stay until their answers end, and those whose answers break off. */
const KEYS = { steady: 'steady-key-012345678', leaver: 'leaver-key-012345678' };
type Client = keyof typeof KEYS;

/** One breaks off each answer, one fails every other request. */
const ENGINES: Readonly<Record<string, Partial<EngineFaults>>> = {
  llama: {},
  flaky: { errorRatio: 0.5 },
  broken: { cutRatio: 1, cutAfterTokens: 9 },
};

const policy = (folder: string): string =>
  JSON.stringify({
    apiVersion: 'cdk8s-ai-gateway.dev/v1alpha1',
    kind: 'PickerPolicy',
    pools: Object.keys(ENGINES).map((name) => ({ name, endpoints: { file: { path: `${folder}/${name}.yaml` } } })),
    models: Object.keys(ENGINES).map((name) => ({ name, targets: [{ pool: name }] })),
    identity: { source: 'apiKeys', directory: `${folder}/keys` },
    limits: [
      { name: 'tight', unit: 'tokens', amount: AMOUNT, windowSeconds: YEAR_SECONDS, key: { source: 'all' } },
      { name: 'wide', unit: 'tokens', amount: 1e9, windowSeconds: YEAR_SECONDS, key: { source: 'client' }, weights: WEIGHTS },
    ],
  });

interface Asked {
  readonly client: Client;
  readonly model: string;
  readonly stream: boolean;
  /** No other request has the same, so that engines tell by it whose answer they made. */
  readonly maxTokens: number;
  readonly prompt: string;
  /** Bytes of the answer after which the client goes. */
  readonly leaveAfter: number;
}

/** Answers of a few tokens, of a hundred and of hundreds; prompts of many and few bytes a token, most of them known to the cache. */
function asked(index: number): Asked {
  const third = Math.floor(index / 3);
  const leaves = index % 5 === 4;
  return {
    client: leaves ? 'leaver' : 'steady',
    model: leaves && index % 2 === 0 ? 'broken' : index % 7 === 6 && !leaves ? 'flaky' : 'llama',
    stream: leaves || index % 2 === 0,
    maxTokens: [30 + third, 100 + third, 400 + 2 * third][index % 3]!,
    prompt: (index % 4 === 0 ? 'a b c ' : 'many words ').repeat(1 + ((index * 37) % 200)),
    leaveAfter: leaves ? 300 + ((index * 7_919) % 20_000) : Number.POSITIVE_INFINITY,
  };
}

const ALL = Array.from({ length: REQUESTS }, (_, index) => asked(index));

/** The limit under load, as it was seen from outside at one moment. */
interface Sample {
  /** What engines had read and made. */
  readonly made: number;
  /** What the limit counted as used, what is set aside included. */
  readonly used: number;
  /** Tokens beyond what was set aside, of all requests settled before the look, and of all settled behind it. */
  readonly errorsBefore: number;
  readonly errorsAfter: number;
}

describeWith(['envoy'], 'the accuracy of token budgets behind real Envoy', ({ envoy }) => {
  const { folder, remove } = scratchFolder();
  const engines: RunningEngine[] = [];
  /** What engines have worked on, by `maxTokens`. */
  const sequences = new Map<number, Sequence>();
  const leavers = new Set(ALL.filter(({ client }) => client === 'leaver').map(({ maxTokens }) => maxTokens));
  let world: PickerBehindEnvoy;

  beforeAll(async () => {
    const pools: Record<string, number> = {};
    for (const [name, faults] of Object.entries(ENGINES)) {
      const engine = await runEngine({ models: [name], speed: 20, faults });
      engines.push(engine);
      const submit = engine.engine.submit.bind(engine.engine);
      engine.engine.submit = (request) => {
        const sequence = submit(request);
        if (typeof sequence === 'object') sequences.set(request.outputTokens.length, sequence);
        return sequence;
      };
      pools[name] = engine.port;
      const endpoints = [{ name, address: '127.0.0.1', port: String(engine.port) }];
      writeFileSync(path.join(folder, `${name}.yaml`), JSON.stringify({ endpoints }));
    }
    mkdirSync(path.join(folder, 'keys'));
    for (const [client, key] of Object.entries(KEYS)) writeFileSync(path.join(folder, 'keys', client), key);
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder));
    world = await PickerBehindEnvoy.start(envoy, folder, pools);
  }, 60_000);

  afterAll(async () => {
    await world?.stop();
    await Promise.all(engines.map((engine) => engine.close()));
    remove();
  });

  const made = (): number => engines.reduce((sum, { engine: { stats } }) => sum + stats.promptTokens + stats.generationTokens, 0);
  const errors = (): Promise<number> => world.metric('aig_picker_limit_surcharged_tokens_total', '"tight"');
  const standing = async (limit: string, key: string): Promise<Record<string, number>> => {
    const { highest } = (await world.limits()).find(({ name }) => name === limit)!;
    return (highest.find((entry) => entry['key'] === key) ?? {}) as Record<string, number>;
  };
  const ask = ({ client, model, stream, maxTokens, prompt, leaveAfter }: Asked, index: number) => {
    const options = stream && index % 4 === 0 ? { stream_options: { include_usage: true } } : {};
    const messages = [{ role: 'user', content: prompt }];
    const body = { model, messages, stream, ...options, max_tokens: maxTokens, ignore_eos: true };
    const headers = { authorization: `Bearer ${KEYS[client]}` };
    return send(world.port, 'POST', '/v1/chat/completions', headers, body, leaveAfter);
  };

  test('200 requests at once: no more is used too much than estimates are wrong, and in the end what engines say is counted', async () => {
    // short answers make the estimates of long ones too low
    for (let i = 0; i < 16; i++) {
      const short = { client: 'steady', model: 'llama', stream: false, maxTokens: 1 + i, prompt: 'many words' } as const;
      expect((await ask({ ...short, leaveAfter: Number.POSITIVE_INFINITY }, 1)).status).toBe(200);
    }
    const samples: Sample[] = [];
    let isOver = false;
    const sampling = (async () => {
      while (!isOver) {
        const errorsBefore = await errors();
        const madeBefore = made();
        const { used = 0 } = await standing('tight', '');
        samples.push({ made: madeBefore, used, errorsBefore, errorsAfter: await errors() });
      }
    })();
    const answers = await Promise.all(
      // some are refused by the engine itself
      ALL.map((one, index) => ask(index % 25 === 0 ? { ...one, maxTokens: -1 } : one, index)),
    );
    await holds(async () => expect(await standing('tight', '')).toMatchObject({ reserved: 0, requestsUnderWay: 0 }));
    isOver = true;
    await sampling;

    const statuses = answers.map(({ status }) => status);
    for (const [status, atLeast] of [
      [200, 80],
      [400, 3],
      [429, 30],
      [500, 1],
    ] as const) {
      expect([status, statuses.filter((one) => one === status).length >= atLeast]).toEqual([status, true]);
    }

    const total = await errors();
    // engines go on for the moment until they hear that a client has gone
    const unseen = made() - (await standing('tight', ''))['used']!;
    expect(Math.abs(unseen)).toBeLessThan(made() * 0.02);
    let roomLeft = samples[0]!;
    for (const sample of samples) {
      if (sample.used <= AMOUNT) roomLeft = sample;
      // nothing was let pass since there was room: only what had passed until then can have grown
      expect(sample.used - AMOUNT).toBeLessThanOrEqual(Math.max(0, sample.errorsAfter - roomLeft.errorsBefore));
      expect(sample.made).toBeLessThanOrEqual(sample.used + total - sample.errorsBefore + Math.max(0, unseen));
    }
    expect(Math.max(...samples.map(({ used }) => used))).toBeGreaterThan(AMOUNT);

    const counted = async (client: Client, kind: string): Promise<number> =>
      world.metric('aig_picker_tokens_total', `client="${client}"`, `kind="${kind}"`);
    const whole = [...sequences.values()].filter((one) => !leavers.has(one.request.outputTokens.length));
    const sum = (list: readonly Sequence[], tokens: (one: Sequence) => number): number =>
      list.reduce((all, one) => all + tokens(one), 0);
    const told = { input: sum(whole, (one) => one.promptTokens), cached: sum(whole, (one) => one.cachedTokens) };
    expect(whole.every(({ finishReason }) => finishReason === 'length')).toBe(true);
    expect(told.cached).toBeGreaterThan(5_000);
    expect({ input: await counted('steady', 'input'), cached: await counted('steady', 'cached') }).toEqual(told);
    expect(await counted('steady', 'output')).toBe(sum(whole, ({ emittedTokens }) => emittedTokens));
    const weighed = sum(whole, ({ promptTokens, cachedTokens, emittedTokens }) => {
      const { input, cached, output } = WEIGHTS;
      return Math.round((promptTokens - cachedTokens) * input + cachedTokens * cached + emittedTokens * output);
    });
    expect(await standing('wide', 'steady')).toMatchObject({ used: weighed, reserved: 0, requestsUnderWay: 0 });

    // nobody says what an answer that broke off has cost: what went over the wire is at least what arrived, and no more than was made
    const broken = [...sequences.values()].filter((one) => leavers.has(one.request.outputTokens.length));
    const arrived = answers.filter((_, index) => ALL[index]!.client === 'leaver').map(({ body }) => body);
    expect(broken.filter(({ finishReason }) => finishReason === 'abort').length).toBeGreaterThan(10);
    const output = await counted('leaver', 'output');
    const delivered = arrived.reduce((all, body) => all + body.split('"delta":{"content"').length - 1, 0);
    expect(output).toBeGreaterThanOrEqual(delivered);
    // the event that says why an answer ends is one more
    expect(output).toBeLessThanOrEqual(sum(broken, ({ emittedTokens }) => emittedTokens) + broken.length);
    const prompts = sum(broken, ({ promptTokens }) => promptTokens);
    expect(Math.abs((await counted('leaver', 'input')) - prompts)).toBeLessThan(prompts * 0.2);
    expect(await standing('wide', 'leaver')).toMatchObject({ reserved: 0, requestsUnderWay: 0 });
  });
});
