import { demand, isDenied, limit, outcome, subject, world } from './support';

const cut = (changes = {}) => limit({ clamp: true, ...changes });

test('a request that asks for more than is left gets what is left', () => {
  const { pass, settle, used } = world([cut()]);
  settle(pass(), outcome({ outputTokens: 700 }));
  const reservation = pass(subject(), demand({ maxTokens: 4_000, textBytes: 400 }));
  expect([reservation.outputBound, reservation.charges]).toEqual([200, [300]]);
  expect(used()).toBe(1_000);
});

test('a request that fits sets aside what it asks for, and its bound is the rest', () => {
  const { pass } = world([cut()]);
  const reservation = pass();
  expect([reservation.outputBound, reservation.charges]).toEqual([1_000, [100]]);
});

test('what is left must be worth an answer, or what was asked for if that is less', () => {
  const { pass, settle, ask } = world([cut()]);
  settle(pass(), outcome({ outputTokens: 990 }));
  expect(ask()).toMatchObject({ charge: 16, remaining: 10 });
  expect(isDenied(ask(subject(), demand({ maxTokens: 9 })))).toBe(false);
});

test('the tightest of the cutting limits decides for all, and a limit that does not cut still refuses', () => {
  const { pass, ask } = world([
    cut({ amount: 500 }),
    cut({ name: 'dear', weights: { input: 1, output: 3, cached: 1 }, amount: 600 }),
  ]);
  const reservation = pass(subject(), demand({ maxTokens: 1_000 }));
  expect([reservation.outputBound, reservation.charges]).toEqual([200, [200, 600]]);
  expect(isDenied(ask())).toBe(true);
  const mixed = world([cut({ amount: 500 }), limit({ name: 'firm', amount: 450 })]);
  mixed.pass(subject(), demand({ maxTokens: 400 }));
  expect(mixed.ask(subject(), demand({ maxTokens: 400 }))).toMatchObject({ rule: { name: 'firm' }, charge: 100, remaining: 50 });
});

test('all choices together stay within what is left', () => {
  const { pass } = world([cut()]);
  expect(pass(subject(), demand({ maxTokens: 900, choices: 4 }))).toMatchObject({ outputBound: 1_000, charges: [1_000] });
});

test('a shadow limit cuts nothing, and neither does one for a request that nobody can change', () => {
  const shadow = world([cut({ shadow: true })]);
  expect(shadow.pass(subject(), demand({ maxTokens: 5_000 }))).toMatchObject({ outputBound: Number.POSITIVE_INFINITY });
  const { pass, ask } = world([cut()]);
  pass(subject(), demand({ maxTokens: 600 }));
  expect(isDenied(ask(subject(), demand({ maxTokens: 600, isBoundable: false })))).toBe(true);
});
