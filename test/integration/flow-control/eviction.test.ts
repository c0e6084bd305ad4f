import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { type Answer, holds, PickerBehindEnvoy, scratchFolder } from '../budgets/behind-envoy';

/** Requests that the engine works on at once. */
const AT_ONCE = 4;
const as = (client: string): Record<string, string> => ({ authorization: `Bearer ${client}-key-0123456789` });
/** Of a request that nobody ends; a minute of work, so that no place becomes free by itself. */
const LONG = { max_tokens: 600, ignore_eos: true };

const policy = (folder: string, evicts: string): string => `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools:
  - { name: llama, endpoints: { file: { path: ${folder}/llama.yaml } } }
models:
  - { name: critical, priority: 100, targets: [{ pool: llama }] }
  - { name: sheddable, priority: -100, targets: [{ pool: llama }] }
identity: { source: apiKeys, directory: ${folder}/keys }
limits:
  - { name: budget, unit: tokens, amount: 10000000, windowSeconds: 86400, key: { source: client } }
priorities:
  bands:
    - { name: critical, priority: 100 }
    - { name: sheddable, priority: -100, ceiling: 1 }
  saturation: { queueDepth: 1 }
  evicts: ${evicts}
`;

/** A stream that is read as it comes. */
class Stream {
  public text = '';
  public status = 0;
  public end: 'whole' | 'cut' | undefined;

  public constructor(port: number, client: string) {
    const json = { model: 'sheddable', stream: true, messages: [{ role: 'user', content: 'hello there' }], ...LONG };
    const headers = { ...as(client), 'content-type': 'application/json' };
    const options = { port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions', headers };
    const outgoing = request(options, (incoming) => {
      this.status = incoming.statusCode ?? 0;
      incoming.on('data', (chunk: Buffer) => {
        this.text += chunk.toString();
      });
      incoming.on('end', () => {
        this.end ??= 'whole';
      });
      incoming.on('error', () => {
        this.end = 'cut';
      });
    });
    outgoing.on('error', () => {
      this.end = 'cut';
    });
    outgoing.end(JSON.stringify(json));
  }
}

describeWith(['envoy'], 'eviction of running requests behind real Envoy', ({ envoy }) => {
  const { folder, remove } = scratchFolder();
  let engine: RunningEngine;
  let world: PickerBehindEnvoy;

  const chat = (model: string, more: object = LONG, client = 'alice'): Promise<Answer> =>
    world.chat(as(client), { model, ...more });
  const short = { max_tokens: 2, ignore_eos: true };
  const onEngine = async (): Promise<number> => {
    const { endpoints } = await world.debug('endpoints');
    return endpoints[0].running + endpoints[0].waiting;
  };
  const spent = async (client: string): Promise<Record<string, number>> =>
    (await world.limits())[0]!.highest.find(({ key }) => key === client) as Record<string, number>;

  async function atRest(): Promise<void> {
    await holds(async () => {
      const { queued, pools } = await world.debug('flow-control');
      expect(queued).toBe(0);
      for (const { bands } of pools) for (const { flows } of bands) expect(flows).toEqual([]);
      const { endpoints } = await world.debug('endpoints');
      expect(endpoints[0]).toMatchObject({ inFlight: 0, waiting: 0, running: 0 });
    });
  }

  beforeAll(async () => {
    const profile = { maxRunningSequences: AT_ONCE, stepOverheadMs: 10, decodeMsPerSequence: 0, maxModelTokens: 100_000 };
    engine = await runEngine({ models: ['critical', 'sheddable'], profile, speed: 1 });
    const endpoints = [{ name: 'engine', address: '127.0.0.1', port: String(engine.port) }];
    writeFileSync(path.join(folder, 'llama.yaml'), JSON.stringify({ endpoints }));
    mkdirSync(path.join(folder, 'keys'));
    for (const client of ['alice', 'bob', 'carol', 'dave']) {
      writeFileSync(path.join(folder, 'keys', client), `${client}-key-0123456789\n`);
    }
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, 'unanswered'));
    world = await PickerBehindEnvoy.start(envoy, folder, { llama: engine.port });
    const answers = await Promise.all(Array.from({ length: 24 }, () => chat('critical', { max_tokens: 20, ignore_eos: true })));
    expect(answers.map(({ status }) => status)).toEqual(Array(24).fill(200));
    await holds(async () => expect((await world.debug('endpoints')).endpoints[0].atOnce).toBe(AT_ONCE));
  }, 90_000);

  afterAll(async () => {
    await world?.stop();
    await engine?.close();
    remove();
  });

  afterEach(atRest, 60_000);

  const evictions = (): Promise<number> =>
    world.metric('aig_picker_queue_refusals_total', 'band="sheddable"', 'reason="evicted-running"');

  async function streams(client: string): Promise<Stream[]> {
    const begun: Stream[] = [];
    for (let count = 0; count < AT_ONCE; count++) {
      begun.push(new Stream(world.port, client));
      await holds(async () => expect(begun[count]!.text).toContain('data:'));
    }
    return begun;
  }

  test('the newest sheddable requests give up their places, one for each that matters more, and pay nothing', async () => {
    const order: string[] = [];
    const running: Promise<Answer>[] = [];
    for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) {
      const count = running.length;
      running.push(chat('sheddable', LONG, 'bob').finally(() => order.push(name)));
      await holds(async () => expect((await spent('bob'))?.requestsUnderWay).toBe(count + 1));
    }
    const critical = await Promise.all(Array.from({ length: 3 }, () => chat('critical', short)));
    expect(critical.map(({ status }) => status)).toEqual([200, 200, 200]);
    const evicted = await evictions();
    expect(order).toEqual(['fifth', 'fourth', 'third'].slice(0, evicted));
    expect(evicted).toBeGreaterThanOrEqual(2);
    const { requestsUnderWay, thisWindow, reserved } = await spent('bob');
    expect([requestsUnderWay, thisWindow]).toEqual([5 - evicted, reserved]);
    const answers = await Promise.all(running);
    expect(answers.map(({ status }) => status)).toEqual(running.map((_, index) => (index < 5 - evicted ? 200 : 429)));
    const { headers, body } = answers[4]!;
    expect(headers['x-llm-d-request-dropped-reason']).toBe('evicted');
    expect(Number(headers['retry-after-ms'])).toBeGreaterThan(0);
    expect(JSON.parse(body).error.message).toContain('request evicted by flow control');
    expect(await world.metric('llm_d_epp_request_error_total', 'error_code="evicted"')).toBe(evicted);
    expect(world.picker.output()).toContain('"audit":"queue","reason":"evicted-running","pool":"llama","band":"sheddable"');
  }, 60_000);

  test('an answer that has begun is not cut off unless that is allowed', async () => {
    const before = await evictions();
    const begun = await streams('carol');
    const critical = Array.from({ length: 3 }, () => chat('critical', short));
    expect((await Promise.all(critical)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await holds(async () => expect(begun.map(({ end }) => end)).toEqual(Array(AT_ONCE).fill('whole')));
    for (const { text } of begun) expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    expect(await evictions()).toBe(before);
  }, 60_000);

  test('where it is allowed, its connection is cut, the engine stops, and what was streamed is paid for', async () => {
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, 'running'));
    await holds(async () => expect(world.picker.output()).toContain('the changed configuration is in force'));
    const before = await evictions();
    const begun = await streams('dave');
    const critical = await Promise.all(Array.from({ length: 3 }, () => chat('critical', short)));
    expect(critical.map(({ status }) => status)).toEqual([200, 200, 200]);
    const evicted = (await evictions()) - before;
    expect(evicted).toBeGreaterThanOrEqual(1);
    const cut = begun.slice(-evicted);
    await holds(async () => expect(cut.map(({ end }) => end)).toEqual(Array(evicted).fill('cut')));
    for (const { status, text } of cut) {
      expect(status).toBe(200);
      expect(text).not.toContain('[DONE]');
    }
    await holds(async () => expect(await onEngine()).toBeLessThanOrEqual(AT_ONCE - evicted));
    const events = cut.reduce((sum, { text }) => sum + text.split('"content":').length - 1, 0);
    const { requestsUnderWay, thisWindow, reserved } = await spent('dave');
    expect(requestsUnderWay).toBe(AT_ONCE - evicted);
    // the prompts are a few tokens each
    expect(thisWindow! - reserved!).toBeGreaterThanOrEqual(events);
    expect(thisWindow! - reserved!).toBeLessThan(events + 40 * evicted);
    await holds(async () =>
      expect(begun.slice(0, -evicted).map(({ end }) => end)).toEqual(Array(AT_ONCE - evicted).fill('whole')),
    );
  }, 60_000);
});
