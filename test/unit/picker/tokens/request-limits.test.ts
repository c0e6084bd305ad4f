import { demand, isDenied, limit, outcome, subject, world } from './support';

const rate = (amount: number) => limit({ name: 'rate', unit: 'requests', amount });
const atOnce = (amount: number) => {
  const { windowSeconds: _, ...rest } = limit({ name: 'at-once', unit: 'concurrent', amount });
  return rest;
};

test('a limit of requests counts one for each, however large, and its window slides', () => {
  const { ask, settle, pass, used, clock } = world([rate(3)]);
  for (let i = 0; i < 3; i++) settle(pass(subject(), demand({ maxTokens: 50_000 })));
  expect(used()).toBe(3);
  expect(ask()).toMatchObject({ charge: 1, remaining: 0 });
  clock.advance(79_999);
  expect(isDenied(ask())).toBe(true);
  clock.advance(2);
  expect(isDenied(ask())).toBe(false);
});

test('a request that an engine failed still was one, and one that found no engine was none', () => {
  const { pass, settle, store, used } = world([rate(3)]);
  settle(pass(), outcome({ status: 503, inputTokens: -1, outputTokens: -1 }));
  expect(used()).toBe(1);
  store.settle(pass(), [0]);
  expect(used()).toBe(1);
});

test('a limit of requests at one time counts those that run, whatever the time', () => {
  const { ask, pass, settle, used, clock } = world([atOnce(2)]);
  const first = pass();
  clock.advance(86_400_000);
  const second = pass();
  expect(used()).toBe(2);
  expect(isDenied(ask())).toBe(true);
  expect(isDenied(ask(subject({ client: 'bob' })))).toBe(false);
  settle(first);
  expect(isDenied(ask())).toBe(false);
  settle(second);
  expect(used()).toBe(1);
});

test('who must wait for a place is told how long requests take, shared among the places', () => {
  const { ask, pass } = world([atOnce(2)]);
  pass();
  pass();
  expect(ask()).toMatchObject({ retryMs: 2_500 });
  const quick = world([atOnce(1)]);
  for (let i = 0; i < 60; i++) {
    const running = quick.pass();
    quick.clock.advance(800);
    quick.settle(running);
  }
  quick.pass();
  const { retryMs } = quick.ask() as { retryMs: number };
  expect(retryMs).toBeGreaterThanOrEqual(800);
  expect(retryMs).toBeLessThan(820);
});

test('limits of all units hold together: what one refuses costs the others nothing', () => {
  const { pass, ask, used } = world([limit({ amount: 10_000 }), rate(10), atOnce(1)]);
  const reservation = pass();
  expect(reservation.charges).toEqual([100, 1, 1]);
  expect(isDenied(ask())).toBe(true);
  expect([0, 1, 2].map((index) => used('alice', index))).toEqual([100, 1, 1]);
  expect(reservation.tightest).toMatchObject({ tokens: { remaining: 9_900 }, requests: { remaining: 9 } });
});

test('what was counted in another unit is no count of this one', () => {
  const { pass, settle, budgets, used } = world([limit()]);
  settle(pass(), outcome({ outputTokens: 900 }));
  budgets.use({ limits: [limit({ unit: 'requests' })], models: [] });
  expect(used()).toBe(0);
});

test('keys that run nothing are forgotten, and none of them is kept for the next start', () => {
  const { pass, settle, budgets } = world([atOnce(5)]);
  const running = pass();
  expect([...budgets.memory.records()]).toEqual([]);
  budgets.memory.sweep(budgets.rules);
  expect([...budgets.memory.standings(budgets.rules[0]!)]).toHaveLength(1);
  settle(running);
  budgets.memory.sweep(budgets.rules);
  expect([...budgets.memory.standings(budgets.rules[0]!)]).toHaveLength(0);
});
