import { type Grant, WAIT } from '../../../../src/picker/director/admission';
import { BudgetAdmission } from '../../../../src/picker/director/budget-admission';
import { GatewayLimits } from '../../../../src/picker/director/gateway-limits';
import type { ResolvedModel } from '../../../../src/picker/director/model-resolver';
import type { Outcome, RejectDecision, RequestFacts } from '../../../../src/picker/ext-proc/director';
import { rejection } from '../../../../src/picker/ext-proc/rejection';
import type { Identity } from '../../../../src/picker/identity/identity';
import { BodyScan, scanBody } from '../../../../src/picker/openai/body-scanner';
import { Exposition } from '../../../../src/picker/telemetry/exposition';
import type { Logger } from '../../../../src/picker/telemetry/log';
import { type BudgetStore, Budgets, GRANTED, type ReserveResult } from '../../../../src/picker/tokens/budgets';
import { MemoryStore } from '../../../../src/picker/tokens/memory-store';
import type { PolicyLimit } from '../../../../src/picker-config/picker-policy';
import { ManualClock } from '../../../../src/shared/clock';
import { pool } from '../flow-control/support';
import { limit, outcome } from '../tokens/support';

type EndpointStoreOf = ResolvedModel['attempts'][number]['pool'];

const resolved = (model = 'llama'): ResolvedModel => ({
  model,
  targetModel: model,
  attempts: [{ pool: { name: 'pool', endpoints: undefined as never, setHeaders: undefined }, targetModel: undefined }],
});

let lastId = 0;
function request(json: object | undefined, path = '/v1/chat/completions', headers: Record<string, string> = {}): RequestFacts {
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const scanned = new BodyScan();
  if (body !== undefined) scanBody('chat', body, scanned);
  return {
    id: ++lastId,
    header: (name) => headers[name],
    method: json === undefined ? 'GET' : 'POST',
    path,
    body,
    scanned: body === undefined ? undefined : scanned,
    subset: undefined,
  };
}

const CHAT = { model: 'llama', messages: [{ role: 'user', content: 'hello' }], max_tokens: 100 };

const bySecret: Identity = {
  credentialHeaders: ['authorization'],
  identify: (facts, api) => {
    const id = facts.header('authorization');
    return id === undefined
      ? rejection(api, 'Unauthorized', 'who?', 'unauthorized')
      : { id, tenant: undefined, keyName: undefined };
  },
};

function harness(limits: readonly PolicyLimit[], late?: (done: (result: ReserveResult) => void) => void) {
  const budgets = new Budgets(new ManualClock(), 'test');
  budgets.use({ limits, models: [] });
  const memory = new MemoryStore(budgets.memory, budgets.metrics);
  const settled: (readonly number[])[] = [];
  const store: BudgetStore = {
    reserve: late === undefined ? (reservation, done) => memory.reserve(reservation, done) : (_, done) => late(done),
    settle: (reservation, actual) => {
      settled.push(actual);
      memory.settle(reservation, actual);
    },
    standings: (rule) => memory.standings(rule),
  };
  const lines: Record<string, unknown>[] = [];
  const log = { info: (line: Record<string, unknown>) => lines.push(line) } as unknown as Logger;
  return { admission: new BudgetAdmission(budgets, store, log), budgets, settled, lines };
}

test('without identity and limits nobody is asked anything', () => {
  const { admission } = harness([]);
  expect(admission.identify(request(CHAT))).toBeUndefined();
  expect(admission.admit(request(CHAT), resolved())).toBeUndefined();
});

test('a known client is admitted, its secret stays here, and its tokens are settled once', () => {
  const { admission, settled, budgets } = harness([limit({ amount: 10_000 })]);
  admission.identity = bySecret;
  const facts = request(CHAT, undefined, { authorization: 'alice' });
  expect(admission.identify(facts)).toBeUndefined();
  const grant = admission.admit(facts, resolved()) as Grant;
  expect(grant).toMatchObject({ kind: 'grant', removeHeaders: ['authorization'], wantsUsage: true });
  expect(grant.answerHeaders).toEqual(expect.arrayContaining(['x-ratelimit-limit-tokens', '10000']));
  grant.settle(outcome({ inputTokens: 7, outputTokens: 8 }));
  expect(settled).toEqual([[15]]);
  expect([...budgets.memory.standings(budgets.rules[0]!)]).toMatchObject([{ key: 'alice', used: 15, use: { reserved: 0 } }]);
});

describe('a limit per pool', () => {
  const empty = (name: string): EndpointStoreOf => ({ name, endpoints: pool(name, 0).store, setHeaders: undefined });
  const ready = (name: string): EndpointStoreOf => ({ name, endpoints: pool(name, 1).store, setHeaders: undefined });
  const to = (...pools: EndpointStoreOf[]): ResolvedModel => ({
    ...resolved(),
    attempts: pools.map((one) => ({ pool: one, targetModel: undefined })),
  });
  const admitted = (where: ResolvedModel, amount = 10_000) => {
    const limits = [limit({ name: 'pool', amount, key: { source: 'pool' } }), limit({ name: 'all', key: { source: 'all' } })];
    const { admission, budgets } = harness(limits);
    const facts = request(CHAT);
    admission.identify(facts);
    const grant = admission.admit(facts, where) as Grant;
    const used = (): Record<string, number> =>
      Object.fromEntries([...budgets.memory.standings(budgets.rules[0]!)].map(({ key, use }) => [key, use.current]));
    const open = (): number => [...budgets.memory.standings(budgets.rules[0]!)].reduce((sum, { use }) => sum + use.open, 0);
    return { grant, used, open, budgets };
  };
  const ENDED = outcome({ inputTokens: 7, outputTokens: 8 });

  test('counts a request for the pool that serves it, where the first has no ready endpoint', () => {
    const { grant, used } = admitted(to(empty('first'), ready('second')));
    grant.servedBy!('second');
    grant.settle(ENDED);
    expect(used()).toEqual({ second: 15 });
  });

  test('and for the first while it has one, or while none has', () => {
    for (const where of [to(ready('first'), ready('second')), to(empty('first'), empty('second'))]) {
      const { grant, used } = admitted(where);
      grant.servedBy!('first');
      grant.settle(ENDED);
      expect(used()).toEqual({ first: 15 });
    }
  });

  test('moves a request that has waited to the pool that serves it in the end', () => {
    const { grant, used, open, budgets } = admitted(to(empty('first'), empty('second')));
    grant.servedBy!('second');
    expect(open()).toBe(2);
    grant.settle(ENDED);
    expect(used()).toEqual({ first: 0, second: 15 });
    expect(open()).toBe(0);
    // what counts for all pools together was not touched
    expect([...budgets.memory.standings(budgets.rules[1]!)]).toMatchObject([{ used: 15, use: { open: 0 } }]);
  });

  test('and lets it pass there even if nothing is left, because it was admitted', () => {
    const limits = [limit({ name: 'pool', amount: 150, key: { source: 'pool' } })];
    const { admission, budgets } = harness(limits);
    const begun = (where: ResolvedModel): Grant => {
      const facts = request(CHAT);
      admission.identify(facts);
      return admission.admit(facts, where) as Grant;
    };
    const other = begun(to(ready('second')));
    const moved = begun(to(empty('first'), empty('second')));
    moved.servedBy!('second');
    for (const grant of [other, moved]) grant.settle(outcome({ inputTokens: 7, outputTokens: 100 }));
    expect([...budgets.memory.standings(budgets.rules[0]!)].find(({ key }) => key === 'second')).toMatchObject({ used: 214 });
  });
});

describe('limits that the gateway enforces', () => {
  const theirs = [
    limit({ name: 'team', enforcedBy: 'gateway', weights: { input: 1, output: 3, cached: 0 } }),
    limit({ name: 'other-model', enforcedBy: 'gateway', models: ['other'], key: { source: 'all' } }),
    limit({ name: 'all', enforcedBy: 'gateway', key: { source: 'all' } }),
  ];
  const told = (client: string): Grant => {
    const { admission } = harness([]);
    admission.gatewayLimits = new GatewayLimits(theirs, []);
    admission.identity = bySecret;
    const facts = request(CHAT, undefined, { authorization: client });
    admission.identify(facts);
    return admission.admit(facts, resolved()) as Grant;
  };

  test('are told whose a request is, and what it used, where they are for its model', () => {
    const grant = told('alice');
    expect(grant.setHeaders).toEqual(['x-aig-limit-team', 'alice', 'x-aig-limit-all', '<shared>']);
    expect(grant.wantsUsage).toBe(true);
    const ended = outcome({ inputTokens: 10, cachedTokens: 4, outputTokens: 5 });
    grant.settle(ended);
    expect(grant.answerMetadata!(ended)).toEqual({ 'envoy.lb': { 'x-aig-limit-team': 21, 'x-aig-limit-all': 15 } });
    expect(grant.answerMetadata!(outcome({ status: 500, inputTokens: -1, outputTokens: -1 }))).toEqual({
      'envoy.lb': { 'x-aig-limit-team': 0, 'x-aig-limit-all': 0 },
    });
  });

  test.each([
    ['a line break', 'a\r\nx-evil: 1', 'a%0D%0Ax-evil%3A%201'],
    ['what stands for nobody', '<shared>', '%3Cshared%3E'],
    ['half a character', 'a\ud800', 'a%EF%BF%BD'],
  ])('a client named %s cannot write a header', (_, client, value) => {
    expect(told(client).setHeaders![1]).toBe(value);
  });
});

test.each([
  ['is cut to what is left', { max_tokens: 5_000 }, 992],
  ['gets a bound where it has none', { max_tokens: undefined }, 992],
  ['shares what is left among its choices', { max_tokens: 400, n: 4 }, 248],
  ['is left alone where it fits', { max_tokens: 900 }, undefined],
])('a request under a limit that cuts %s', (_, more, maxTokens) => {
  const { admission } = harness([limit({ clamp: true, key: { source: 'all' } })]);
  // 31 bytes of 4 a token
  const facts = { ...request({ ...CHAT, ...more }) };
  const body = Buffer.from(JSON.stringify({ model: 'llama', messages: [1] }));
  expect(admission.admit({ ...facts, body }, resolved())).toMatchObject({ kind: 'grant', maxTokens });
});

test('choices raise what is set aside', () => {
  const { admission, budgets } = harness([limit({ amount: 10_000 })]);
  const before = admission.admit(request({ ...CHAT, n: 3, best_of: 5 }), resolved()) as Grant;
  expect([...budgets.memory.standings(budgets.rules[0]!)][0]!.used).toBeGreaterThan(500);
  before.release();
});

test('who is not known hears 401, is counted, and leaves a line', () => {
  const { admission, budgets, lines } = harness([]);
  admission.identity = bySecret;
  expect(admission.identify(request(CHAT))).toMatchObject({ status: 401 });
  expect(budgets.metrics.unauthorized).toBe(1);
  expect(lines).toMatchObject([{ audit: 'identity', reason: 'unauthorized', path: '/v1/chat/completions' }]);
});

test('a client’s name does not stay for the next request', () => {
  const { admission, budgets } = harness([limit()]);
  admission.identity = bySecret;
  const known = request(CHAT, undefined, { authorization: 'alice' });
  admission.identify(known);
  admission.admit(known, resolved());
  admission.identity = undefined;
  const next = request(CHAT);
  admission.identify(next);
  admission.admit(next, resolved());
  expect([...budgets.memory.standings(budgets.rules[0]!)].map(({ key }) => key)).toEqual(['alice', '']);
});

test('what asks an engine for nothing is not metered, and a path nobody knows pays what the engine says', () => {
  const { admission, settled } = harness([limit()]);
  expect(admission.admit(request(undefined, '/v1/models'), resolved(''))).toMatchObject({ wantsUsage: false });
  const grant = admission.admit(request({ documents: ['x'.repeat(90_000)] }, '/v1/rerank'), resolved('')) as Grant;
  grant.settle(outcome({ inputTokens: 300, outputTokens: -1 }));
  expect(settled).toEqual([[300]]);
});

test('a body that the proxy does not show costs at least what its length says', () => {
  const { admission } = harness([limit({ amount: 100_000 })]);
  const hidden = { ...request(CHAT, undefined, { 'content-length': '4000' }), body: undefined, scanned: undefined };
  const grant = admission.admit(hidden, resolved()) as Grant;
  expect(grant.answerHeaders).toEqual(expect.arrayContaining(['x-ratelimit-remaining-tokens', String(100_000 - 1_000 - 512)]));
});

test('a picture in the body is not taken for text', () => {
  const { admission } = harness([limit({ amount: 5_000 })]);
  const url = `data:image/png;base64,${'A'.repeat(100_000)}`;
  const facts = request({ ...CHAT, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
  expect(admission.admit(facts, resolved())).toMatchObject({ kind: 'grant' });
});

test('a refusal by a limit is counted by rule and reason, and leaves a line without the prompt', () => {
  const { admission, budgets, lines } = harness([limit({ amount: 120 })]);
  admission.admit(request(CHAT), resolved());
  expect(admission.admit(request(CHAT, undefined, { 'x-request-id': 'r1' }), resolved())).toMatchObject({ status: 429 });
  expect(admission.admit(request({ ...CHAT, messages: ['x'.repeat(9_000)] }), resolved())).toMatchObject({ status: 400 });
  expect([...budgets.metrics.limit(budgets.rules[0]!).rejections]).toEqual([
    ['used-up', 1],
    ['never-fits', 1],
  ]);
  expect(lines[0]).toMatchObject({ audit: 'limit', limit: 'limit', reason: 'limit-rate', requestId: 'r1', model: 'llama' });
  expect(JSON.stringify(lines)).not.toContain('hello');
});

test('a request that finds no endpoint gives back what was set aside', () => {
  const { admission, budgets } = harness([limit()]);
  (admission.admit(request(CHAT), resolved()) as Grant).release();
  expect([...budgets.memory.standings(budgets.rules[0]!)]).toMatchObject([{ used: 0, use: { open: 0 } }]);
});

describe('a store that answers later', () => {
  function waiting() {
    let done: (result: ReserveResult) => void = () => undefined;
    const parts = harness([limit()], (answer) => {
      done = answer;
    });
    const facts = request(CHAT);
    const verdicts: (Grant | RejectDecision | undefined)[] = [];
    expect(parts.admission.admit(facts, resolved())).toBe(WAIT);
    parts.admission.wait(facts, (verdict) => verdicts.push(verdict));
    return { ...parts, facts, verdicts, answer: (result: ReserveResult) => done(result) };
  }

  test('lets the request go on', () => {
    const { answer, verdicts } = waiting();
    answer(GRANTED);
    expect(verdicts).toMatchObject([{ kind: 'grant' }]);
  });

  test('refuses with 503 when it cannot be asked and the limit is closed', () => {
    const { answer, verdicts, budgets } = waiting();
    answer({ kind: 'unavailable', rule: budgets.rules[0]!, retryMs: 900 });
    expect(verdicts).toMatchObject([{ kind: 'reject', status: 503, reason: 'limit-store-unavailable' }]);
  });

  test('gets back what it granted to a client who has gone', () => {
    const { answer, verdicts, admission, facts, settled } = waiting();
    admission.abandon(facts);
    answer(GRANTED);
    expect(verdicts).toEqual([]);
    expect(settled).toEqual([[0]]);
  });
});

test('labels that clients choose are bounded, and a removed limit leaves the page', () => {
  const { budgets } = harness([limit()]);
  const end: Outcome = outcome({ inputTokens: 1, outputTokens: 1 });
  for (let i = 0; i < 4_000; i++) {
    budgets.settlement(
      undefined,
      { model: `m${i % 150}`, textBytes: 4, media: 0, maxTokens: -1, choices: 1, generates: true, isBoundable: true },
      `c${Math.floor(i / 10)}`,
      end,
    );
  }
  budgets.metrics.limit(budgets.rules[0]!).admitted++;
  const out = new Exposition();
  budgets.metrics.write(out);
  const page = out.take();
  expect(page.match(/aig_picker_tokens_total\{kind="input"/g)!.length).toBeLessThanOrEqual(2_001);
  expect(page).toContain('aig_picker_limit_admitted_total{limit="limit"} 1');
  budgets.use({ limits: [], models: [] });
  budgets.metrics.write(out);
  expect(out.take()).not.toContain('limit="limit"');
});
