import { demand, isDenied, limit, outcome, subject, world } from './support';

describe('defects of other limiters that must not happen here', () => {
  test('a long answer near the limit is not free: what is used beyond it is debt', () => {
    const { pass, settle, used, ask, clock, budgets } = world([limit()]);
    settle(pass(), outcome({ outputTokens: 2_500 }));
    expect(used()).toBe(2_500);
    expect(budgets.metrics.limit(budgets.rules[0]!).debtTokens).toBe(1_500);
    expect(isDenied(ask())).toBe(true);
    clock.advance(60_000);
    expect(isDenied(ask())).toBe(true);
    clock.advance(60_000);
    expect(used()).toBe(1_500);
    clock.advance(60_000);
    clock.advance(12_000);
    expect(isDenied(ask())).toBe(false);
  });

  test('input is not charged when another rule refuses the request', () => {
    const { ask, used } = world([limit({ name: 'wide', amount: 10_000 }), limit({ name: 'tight', amount: 150 })]);
    expect(isDenied(ask())).toBe(false);
    expect(isDenied(ask())).toBe(true);
    expect([used('alice', 0), used('alice', 1)]).toEqual([100, 100]);
  });

  test('a window slides: twice the limit does not pass around its border', () => {
    const { ask, clock } = world([limit()]);
    clock.advance(59_000);
    for (let i = 0; i < 10; i++) expect(isDenied(ask())).toBe(false);
    clock.advance(2_000);
    expect(isDenied(ask())).toBe(true);
  });

  test('an input estimate is corrected by the real usage', () => {
    const { pass, settle, used } = world([limit({ amount: 100_000 })]);
    const what = demand({ textBytes: 4_000 });
    const reservation = pass(subject(), what);
    expect(used()).toBe(1_100);
    settle(reservation, outcome({ inputTokens: 700, outputTokens: 20 }), what);
    expect(used()).toBe(720);
  });

  test('keys that are not used any more are forgotten', () => {
    const { pass, settle, budgets, clock } = world([limit()]);
    for (let i = 0; i < 50; i++) settle(pass(subject({ client: `c${i}` })));
    const count = (): number => [...budgets.memory.standings(budgets.rules[0]!)].length;
    budgets.memory.sweep(budgets.rules);
    expect(count()).toBe(50);
    clock.advance(120_000);
    budgets.memory.sweep(budgets.rules);
    expect(count()).toBe(0);
  });

  test('concurrent requests do not all pass before the first is charged', () => {
    const { ask } = world([limit()]);
    const answers = Array.from({ length: 50 }, () => ask());
    expect(answers.filter((answer) => !isDenied(answer))).toHaveLength(10);
  });

  test('a removed rule is gone, and a changed one counts on', () => {
    const { pass, settle, budgets, used, ask } = world([limit(), limit({ name: 'other', amount: 120 })]);
    settle(pass());
    expect(isDenied(ask())).toBe(true);
    budgets.use({ limits: [limit({ amount: 500 })], models: [] });
    expect(used()).toBe(100);
    expect(isDenied(ask())).toBe(false);
  });

  test('a rule that was removed and comes back starts anew, and old reservations leave it alone', () => {
    const { pass, settle, budgets, used } = world([limit()]);
    const old = pass();
    budgets.use({ limits: [], models: [] });
    budgets.use({ limits: [limit()], models: [] });
    settle(old);
    expect(used()).toBe(0);
  });
});

test.each([
  ['client', 'client', { client: 'a' }, 'a'],
  ['tenant', 'tenant', { tenant: 't' }, 't'],
  ['API key', 'apiKey', { apiKey: 'a/12' }, 'a/12'],
  ['model', 'model', { model: 'm' }, 'm'],
  ['pool', 'pool', { pool: 'p' }, 'p'],
  ['everything', 'all', {}, ''],
  ['nobody in particular', 'tenant', {}, ''],
] as const)('a limit counts by %s', (_, source, who, key) => {
  const { pass, used } = world([limit({ key: { source } })]);
  pass(subject(who));
  expect(used(key)).toBe(100);
});

test('a limit counts by a header', () => {
  const { pass, used } = world([limit({ key: { source: 'header', name: 'x-team' } })]);
  pass(subject({ header: (name) => (name === 'x-team' ? 'red' : undefined) }));
  expect(used('red')).toBe(100);
});

test('a limit of some models leaves others alone, and knows them by every alias', () => {
  const model = { name: 'llama', aliases: ['l'], targets: [], priority: 0, adapters: [] };
  const { ask } = world([limit({ models: ['l'], amount: 100 })], [model]);
  expect(ask(subject({ model: 'other' }))).toBeUndefined();
  expect(isDenied(ask())).toBe(false);
  expect(isDenied(ask())).toBe(true);
});

test('tokens count by their weights, cached ones by their own', () => {
  const { pass, settle, used } = world([limit({ amount: 10_000, weights: { input: 2, output: 3, cached: 0.1 } })]);
  settle(pass(), outcome({ inputTokens: 100, cachedTokens: 40, outputTokens: 10 }));
  expect(used()).toBe(60 * 2 + 4 + 30);
});

test('a shadow limit refuses nothing, counts, and says what it would have done', () => {
  const { ask, budgets, used } = world([limit({ amount: 250, shadow: true })]);
  for (let i = 0; i < 5; i++) expect(isDenied(ask())).toBe(false);
  expect(used()).toBe(500);
  expect(budgets.metrics.limit(budgets.rules[0]!).wouldReject).toBe(3);
});

test('a request that no window can hold is told so', () => {
  const { ask } = world([limit()]);
  expect(ask(subject(), demand({ textBytes: 40_000 }))).toMatchObject({ retryMs: -1, charge: 10_001 });
});

test('a request whose bound is larger than the limit passes when the limit is free', () => {
  const { ask } = world([limit()]);
  expect(isDenied(ask(subject(), demand({ maxTokens: 32_000 })))).toBe(false);
  expect(isDenied(ask())).toBe(true);
});

test.each([
  ['an engine that failed costs nothing', outcome({ status: 503, inputTokens: -1, outputTokens: -1 }), 0],
  [
    'a request that no engine answered costs nothing',
    outcome({ status: 0, inputTokens: -1, outputTokens: -1, cause: 'error' }),
    0,
  ],
  [
    'a client that left early still made the engine read',
    outcome({ status: 0, inputTokens: -1, outputTokens: -1, cause: 'client-disconnect' }),
    50,
  ],
  [
    'a stream that was cut off costs what it brought',
    outcome({ inputTokens: -1, outputTokens: -1, deltas: 31, cause: 'client-disconnect' }),
    80,
  ],
  [
    'a first count of a stream is not the last',
    outcome({ inputTokens: 40, outputTokens: 1, deltas: 21, cause: 'client-disconnect' }),
    60,
  ],
  ['embeddings cost their input', outcome({ inputTokens: 44, outputTokens: -1, responseBytes: 90_000 }), 44],
  ['an answer without usage costs by its length', outcome({ inputTokens: -1, outputTokens: -1, responseBytes: 400 }), 150],
])('%s', (_, how, tokens) => {
  const { pass, settle, used } = world([limit()]);
  const what = demand({ textBytes: 200 });
  settle(pass(subject(), what), how, what);
  expect(used()).toBe(tokens);
});

test('estimates learn from the engine: bytes of a token, and the usual length of an answer', () => {
  const { pass, settle, budgets } = world([limit({ amount: 1_000_000 })]);
  const what = demand({ textBytes: 3_000, maxTokens: 4_000 });
  expect(pass(subject(), what).charges).toEqual([750 + 4_000]);
  for (let i = 0; i < 300; i++) settle(pass(subject(), what), outcome({ inputTokens: 1_500, outputTokens: 10 + (i % 10) }), what);
  const [charge] = pass(subject(), what).charges;
  expect(charge).toBeGreaterThanOrEqual(1_500 + 17);
  expect(charge).toBeLessThan(1_530);
  expect(budgets.metrics.limit(budgets.rules[0]!).admitted).toBe(302);
});

test('100,000 keys fit into 60 MB', () => {
  const { pass } = world([limit()]);
  const beforeBytes = process.memoryUsage().heapUsed;
  for (let i = 0; i < 100_000; i++) pass(subject({ client: `client-${i}` }));
  expect(process.memoryUsage().heapUsed - beforeBytes).toBeLessThan(60 * 2 ** 20);
});
