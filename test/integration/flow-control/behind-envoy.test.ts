import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type RunningEngine, runEngine } from '../../../src/simulation/engine/run-engine';
import { describeWith } from '../../components/describe-with';
import { type Answer, holds, PickerBehindEnvoy, scratchFolder, send } from '../budgets/behind-envoy';

/** Requests that the engine works on at once. */
const AT_ONCE = 4;
const KEYS = { alice: 'alice-key-0123456789', bob: 'bob-key-0123456789ab' };
const as = (client: keyof typeof KEYS): Record<string, string> => ({ authorization: `Bearer ${KEYS[client]}` });

const policy = (folder: string): string => `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools:
  - { name: llama, endpoints: { file: { path: ${folder}/llama.yaml } } }
models:
  - { name: critical, priority: 100, targets: [{ pool: llama }] }
  - { name: standard, targets: [{ pool: llama }] }
  - { name: sheddable, priority: -100, targets: [{ pool: llama }] }
identity: { source: apiKeys, directory: ${folder}/keys }
priorities:
  bands:
    - { name: critical, priority: 100 }
    - { name: standard, priority: 0, fairness: roundRobin, maxRequests: 100 }
    - { name: sheddable, priority: -100, maxRequests: 8, maxBytes: 8k, queueSeconds: 60 }
  waitingRoom: { maxRequests: 2, queueSeconds: 60 }
  saturation: { queueDepth: 1 }
`;

describeWith(['envoy'], 'priorities and queues behind real Envoy', ({ envoy }) => {
  const { folder, remove } = scratchFolder();
  let engine: RunningEngine;
  let world: PickerBehindEnvoy;

  const chat = (model: string, tokens: number, headers: Record<string, string> = as('alice')): Promise<Answer> =>
    world.chat(headers, { model, max_tokens: tokens, ignore_eos: true });
  const many = (count: number, model: string, tokens: number): Promise<Answer>[] =>
    Array.from({ length: count }, () => chat(model, tokens));
  const statuses = async (answers: readonly Promise<Answer>[]): Promise<number[]> =>
    (await Promise.all(answers)).map(({ status }) => status).sort();
  const queued = (): Promise<number> => world.metric('llm_d_epp_flow_control_queue_size');

  async function atRest(): Promise<void> {
    await holds(async () => {
      const { queued: waiting, queuedBytes, pools } = await world.debug('flow-control');
      expect([waiting, queuedBytes]).toEqual([0, 0]);
      for (const { bands } of pools) for (const { flows } of bands) expect(flows).toEqual([]);
      const { endpoints } = await world.debug('endpoints');
      expect(endpoints[0]).toMatchObject({ inFlight: 0, waiting: 0, running: 0 });
    });
  }

  function setEndpoints(ports: readonly number[]): void {
    const endpoints = ports.map((port) => ({ name: `engine-${port}`, address: '127.0.0.1', port: String(port) }));
    writeFileSync(path.join(folder, 'llama.yaml'), JSON.stringify({ endpoints }));
  }

  beforeAll(async () => {
    const profile = { maxRunningSequences: AT_ONCE, stepOverheadMs: 10, decodeMsPerSequence: 0 };
    engine = await runEngine({ models: ['critical', 'standard', 'sheddable'], profile, speed: 1 });
    setEndpoints([engine.port]);
    mkdirSync(path.join(folder, 'keys'));
    for (const [client, key] of Object.entries(KEYS)) writeFileSync(path.join(folder, 'keys', client), `${key}\n`);
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder));
    world = await PickerBehindEnvoy.start(envoy, folder, { llama: engine.port });
    await learned();
  }, 90_000);

  /** A queue shows the picker what the engine works on at once. */
  async function learned(): Promise<void> {
    expect(await statuses(many(24, 'standard', 20))).toEqual(Array(24).fill(200));
    await holds(async () => expect((await world.debug('endpoints')).endpoints[0].atOnce).toBe(AT_ONCE));
  }

  afterAll(async () => {
    await world?.stop();
    await engine?.close();
    remove();
  });

  afterEach(atRest, 60_000);

  test('sheddable requests are shed, critical ones are all answered, and before those that wait', async () => {
    const order: string[] = [];
    const told = (answers: Promise<Answer>[], name: string): Promise<Answer>[] => {
      for (const answer of answers) void answer.then(({ status }) => (status === 200 ? order.push(name) : 0));
      return answers;
    };
    await chat('critical', 1);
    const flood = told(many(30, 'sheddable', 60), 'sheddable');
    await holds(async () => expect(await queued()).toBeGreaterThan(4));
    const critical = told(many(8, 'critical', 5), 'critical');
    expect(await statuses(critical)).toEqual(Array(8).fill(200));
    const answers = await Promise.all(flood);
    const shed = answers.filter(({ status }) => status === 429);
    expect(shed.length).toBeGreaterThan(10);
    expect(answers.filter(({ status }) => status === 200).length).toBe(30 - shed.length);
    // of those that were sent before, only what was running came first
    expect(order.lastIndexOf('critical')).toBeLessThan(8 + AT_ONCE + 2);
    for (const { headers, body } of shed) {
      expect(headers['x-llm-d-request-dropped-reason']).toBe('rejected-saturated');
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(Number(headers['retry-after-ms'])).toBeGreaterThan(0);
      expect(JSON.parse(body).error.type).toBe('rate_limit_error');
    }
    expect(await world.metric('aig_picker_queue_refusals_total', 'band="sheddable"', 'reason="full"')).toBe(shed.length);
    expect(await world.metric('aig_picker_queue_refusals_total', 'band="critical"')).toBe(0);
    expect(world.picker.output()).toContain('"audit":"queue","reason":"full","pool":"llama","band":"sheddable"');
  }, 60_000);

  test('no header of a client changes its priority, its tenant or its place', async () => {
    const before = await world.metric('llm_d_epp_flow_control_requests_total', 'priority="-100"');
    const forged = {
      'x-llm-d-inference-objective': 'critical',
      'x-gateway-inference-objective': 'critical',
      'x-llm-d-inference-fairness-id': 'bob',
      'x-aig-tenant': 'bob',
      'x-aig-client-id': 'bob',
    };
    expect((await chat('sheddable', 2, { ...as('alice'), ...forged })).status).toBe(200);
    expect(await world.metric('llm_d_epp_flow_control_requests_total', 'priority="-100"')).toBe(before + 1);
    expect(await world.metric('llm_d_epp_request_total', 'fairness_id="bob"')).toBe(0);
    expect(await world.metric('llm_d_epp_request_total', 'fairness_id="alice"', 'priority="-100"')).toBeGreaterThan(0);
  });

  test('tenants go on in turn', async () => {
    const order: string[] = [];
    const ask = (client: keyof typeof KEYS): Promise<unknown> =>
      chat('standard', 30, as(client)).then(({ status }) => order.push(status === 200 ? client : String(status)));
    const noisy = Array.from({ length: 40 }, () => ask('alice'));
    await holds(async () => expect(await queued()).toBeGreaterThan(25));
    const quiet = Array.from({ length: 4 }, () => ask('bob'));
    await Promise.all([...noisy, ...quiet]);
    // his four do not wait for her forty
    expect(order.lastIndexOf('bob')).toBeLessThan(30);
    expect(order.filter((one) => one === 'alice')).toHaveLength(40);
  }, 60_000);

  test('a client that goes away leaves the queue at once', async () => {
    const flood = many(10, 'standard', 60);
    await holds(async () => expect(await queued()).toBeGreaterThan(2));
    const before = await queued();
    const url = '/v1/chat/completions';
    const body = { model: 'critical', messages: [{ role: 'user', content: 'x' }], max_tokens: 5 };
    const controller = new AbortController();
    const gone = fetch(`http://127.0.0.1:${world.port}${url}`, {
      method: 'POST',
      headers: { ...as('bob'), 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, model: 'standard' }),
      signal: controller.signal,
    });
    await holds(async () => expect(await world.metric('llm_d_epp_flow_control_queue_size', 'fairness_id="bob"')).toBe(1));
    expect(before).toBeGreaterThan(0);
    controller.abort();
    await expect(gone).rejects.toThrow();
    await holds(async () => expect(await world.metric('llm_d_epp_flow_control_queue_size', 'fairness_id="bob"')).toBe(0));
    expect(await world.metric('llm_d_epp_flow_control_requests_total', 'outcome="EvictedContextCancelled"')).toBe(1);
    expect(await statuses(flood)).toEqual(Array(10).fill(200));
  }, 60_000);

  test('what can never fit in the queue is a 413, and passes where nobody has to wait', async () => {
    const long = (): Promise<Answer> =>
      world.chat(as('alice'), { model: 'sheddable', max_tokens: 2, messages: [{ role: 'user', content: 'x'.repeat(9_000) }] });
    expect((await long()).status).toBe(200);
    await chat('critical', 1);
    const flood = many(12, 'standard', 60);
    await holds(async () => expect(await queued()).toBeGreaterThan(2));
    const refused = await long();
    expect([refused.status, refused.headers['retry-after']]).toEqual([413, undefined]);
    expect(await statuses(flood)).toEqual(Array(12).fill(200));
  }, 60_000);

  test('a pool without endpoints is waited for, in a room of its own', async () => {
    setEndpoints([]);
    await holds(async () => expect((await world.debug('endpoints')).endpoints).toEqual([]));
    const waiting = many(2, 'standard', 2);
    await holds(async () => expect(await queued()).toBe(2));
    const refused = await chat('standard', 2);
    expect([refused.status, refused.headers['x-llm-d-request-dropped-reason']]).toEqual([503, 'rejected-no-endpoints']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1);
    setEndpoints([engine.port]);
    expect(await statuses(waiting)).toEqual([200, 200]);
    // another endpoint, as far as anybody knows: it has to be seen once more
    await learned();
  }, 60_000);

  test('the page shows what waits', async () => {
    const flood = many(24, 'standard', 60);
    await holds(async () => expect(await queued()).toBeGreaterThan(0));
    const { enabled, pools } = await world.debug('flow-control');
    expect([enabled, pools[0].name, pools[0].readyEndpoints]).toEqual([true, 'llama', 1]);
    expect(pools[0].saturation).toBeGreaterThan(0.5);
    const band = pools[0].bands.find(({ name }: { name: string }) => name === 'standard');
    expect(band.queued).toBeGreaterThan(0);
    expect(band.flows[0]).toMatchObject({ tenant: 'alice' });
    expect(await statuses(flood)).toEqual(Array(24).fill(200));
  }, 60_000);

  test('a picker that stops tells who waits', async () => {
    const other = await PickerBehindEnvoy.start(envoy, folder, { llama: engine.port });
    try {
      await holds(async () => expect((await other.debug('endpoints')).endpoints[0].scrapes).toBeGreaterThan(0));
      const sent = Array.from({ length: 60 }, () =>
        other.chat(as('alice'), { model: 'standard', max_tokens: 20, ignore_eos: true }),
      );
      await holds(async () => expect(await other.metric('llm_d_epp_flow_control_queue_size')).toBeGreaterThan(10));
      process.kill(other.picker.pid, 'SIGTERM');
      const answers = await Promise.all(sent);
      // others were running when its drain timeout of a second was over
      const told = answers.filter(({ headers }) => headers['x-llm-d-request-dropped-reason'] === 'rejected-shutting-down');
      expect(told.length).toBeGreaterThan(10);
      expect(told.map(({ status, headers }) => [status, headers['retry-after']])).toEqual(told.map(() => [503, '1']));
    } finally {
      await other.stop();
    }
  }, 60_000);

  test('an unknown path and the list of models do not wait', async () => {
    const flood = many(24, 'standard', 60);
    await holds(async () => expect(await queued()).toBeGreaterThan(0));
    expect((await send(world.port, 'GET', '/v1/models', as('bob'))).status).toBe(200);
    expect(await statuses(flood)).toEqual(Array(24).fill(200));
  }, 60_000);
});
