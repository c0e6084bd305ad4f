import { goDuration, limitAnswer, standingHeaders, storeFailureAnswer } from '../../../../src/picker/tokens/limit-answers';
import { LimitRule } from '../../../../src/picker/tokens/limit-rule';
import type { Denial } from '../../../../src/picker/tokens/reservation';
import { limit } from './support';

const denied = (changes: Partial<Denial> = {}, windowSeconds = 60): Denial => ({
  rule: new LimitRule(limit({ windowSeconds }), []),
  key: 'alice',
  charge: 300,
  amount: 1_000,
  remaining: 100,
  clearMs: 90_000,
  retryMs: 12_345,
  ...changes,
});

const map = (headers: readonly string[]): Record<string, string> => {
  const pairs: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) pairs[headers[i]!] = headers[i + 1]!;
  return pairs;
};

test('OpenAI’s clients get its error, and learn when to come back', () => {
  const { status, headers, body } = limitAnswer('chat', denied(), 0);
  expect(status).toBe(429);
  expect(JSON.parse(body.toString())).toEqual({
    error: {
      message: "limit 'limit' of 1000 tokens in 60 s is used up: 100 left, about 300 needed; try again in 12.4 s",
      type: 'tokens',
      param: null,
      code: 'rate_limit_exceeded',
    },
  });
  expect(map(headers)).toEqual({
    'content-type': 'application/json',
    'retry-after': '13',
    'retry-after-ms': '12345',
    'x-ratelimit-limit-tokens': '1000',
    'x-ratelimit-remaining-tokens': '100',
    'x-ratelimit-reset-tokens': '1m30s',
    'ratelimit-policy': '"limit";q=1000;w=60',
    ratelimit: '"limit";r=100;t=13',
  });
});

test('Anthropic’s clients get its error and its headers', () => {
  const { headers, body } = limitAnswer('messages', denied(), Date.UTC(2026, 0, 1));
  expect(JSON.parse(body.toString())).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  expect(map(headers)).toMatchObject({
    'anthropic-ratelimit-tokens-limit': '1000',
    'anthropic-ratelimit-tokens-remaining': '100',
    'anthropic-ratelimit-tokens-reset': '2026-01-01T00:01:30.000Z',
  });
  expect(map(standingHeaders('messages', denied(), 0))).not.toHaveProperty('x-ratelimit-limit-tokens');
});

test('a limit of requests says so in words, type and headers', () => {
  const rule = new LimitRule(limit({ unit: 'requests' }), []);
  const { headers, body } = limitAnswer('chat', denied({ rule, amount: 10, remaining: 0, charge: 1 }), 0);
  expect(JSON.parse(body.toString()).error).toMatchObject({
    message: "limit 'limit' of 10 requests in 60 s is used up: 0 left; try again in 12.4 s",
    type: 'requests',
  });
  expect(map(headers)).toMatchObject({ 'x-ratelimit-limit-requests': '10', 'x-ratelimit-reset-requests': '1m30s' });
  expect(map(standingHeaders('messages', denied({ rule }), 0))).toHaveProperty('anthropic-ratelimit-requests-remaining');
});

test('a limit of requests at one time has no window, and no header of the APIs', () => {
  const { windowSeconds: _, ...endless } = limit({ unit: 'concurrent' });
  const { headers, body } = limitAnswer('chat', denied({ rule: new LimitRule(endless, []), amount: 4, remaining: 0 }), 0);
  expect(JSON.parse(body.toString()).error.message).toContain('of 4 requests at one time is used up');
  expect(map(headers)).toEqual({
    'content-type': 'application/json',
    'retry-after': '13',
    'retry-after-ms': '12345',
    'ratelimit-policy': '"limit";q=4;qu="concurrent-requests"',
    ratelimit: '"limit";r=0;t=13',
  });
});

test('a limit of a day or more is a quota', () => {
  const { status, body } = limitAnswer('chat', denied({}, 86_400), 0);
  expect([status, JSON.parse(body.toString()).error.code]).toEqual([429, 'insufficient_quota']);
});

test('a request that never fits is told so, without a time to come back', () => {
  const { status, headers } = limitAnswer('chat', denied({ retryMs: -1 }), 0);
  expect([status, Object.keys(map(headers))]).toEqual([400, ['content-type']]);
});

test('while the store does not answer, clients are asked to come back', () => {
  const { status, headers } = storeFailureAnswer('chat', 400);
  expect([status, map(headers)['retry-after'], map(headers)['retry-after-ms']]).toEqual([503, '1', '400']);
});

test.each([
  [0, '0ms'],
  [12, '12ms'],
  [1_500, '1.5s'],
  [360_000, '6m0s'],
  [5_400_000, '1h30m0s'],
])('%i ms are %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});
