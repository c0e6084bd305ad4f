import { type BoardState, samples } from '../../../../../src/cli/up/board/board-state';
import { decisionLine, renderBoard } from '../../../../../src/cli/up/board/render-board';

const STATE: BoardState = {
  kind: 'state',
  at: '2026-01-02T03:04:05.678Z',
  url: 'http://127.0.0.1:8080',
  proxy: 'embedded',
  budgets: [
    {
      name: 'per-client',
      picker: 'picker',
      unit: 'tokens',
      amount: 1000,
      windowSeconds: 60,
      countedBy: 'client',
      highest: ['a', 'b', 'c', 'd'].map((key) => ({ key, used: 400, remaining: 600 })),
    },
    { name: 'whole', picker: 'picker', unit: 'requests', amount: 5000, windowSeconds: 3600, countedBy: 'all', highest: [] },
    { name: 'parallel', picker: 'picker', unit: 'concurrent', amount: 8, countedBy: 'all', highest: [] },
  ],
  models: [{ name: 'llama', requests: 12, running: 3, errors: 1 }],
  pools: [
    {
      name: 'pool-a',
      picker: 'picker',
      endpoints: [
        {
          name: 'llama-0',
          address: '127.0.0.1:1',
          isRunning: true,
          waiting: 4,
          running: 5,
          kvUsageRatio: 0.5,
          inFlight: 6,
          tokensPerSecond: 78,
          prefixHitRatio: 0.25,
        },
        { name: 'llama-1', address: '127.0.0.1:2', isRunning: false, tokensPerSecond: 0 },
      ],
    },
  ],
  decisions: Array.from({ length: 50 }, (_, index) => ({
    at: `2026-01-02T03:04:${index + 10}.000Z`,
    model: 'llama',
    result: 'llama-0',
  })),
};

test('an endpoint shows queue, running, KV, in flight, tokens a second and prefix hits', () => {
  const line = renderBoard(STATE, 200, 40).find((text) => text.includes('llama-0'));
  expect(line?.trim().split(/\s+/)).toEqual(['llama-0', '4', '5', '█████░░░░░', '50%', '6', '78', '25%']);
});

test('a budget shows who has used most of it, and what is left', () => {
  const lines = renderBoard(STATE, 200, 40);
  const rows = lines.filter((text) => / in \d+ s|at one time/.test(text)).map((text) => text.trim().split(/ {2,}/));
  expect(rows).toEqual([
    ...['a', 'b', 'c'].map((key) => [`per-client ${key}`, '400', '600', '1000 tokens in 60 s']),
    ['whole', '0', '5000', '5000 requests in 3600 s'],
    ['parallel', '0', '8', '8 requests at one time'],
  ]);
});

test('a stopped engine is shown as stopped', () => {
  expect(renderBoard(STATE, 200, 40).find((text) => text.includes('llama-1'))).toContain('stopped');
});

test.each([
  [80, 24],
  [40, 12],
  [20, 3],
])('the board fits a terminal of %i × %i', (columns, rows) => {
  const lines = renderBoard(STATE, columns, rows);
  expect(lines.length).toBeLessThanOrEqual(rows);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
});

test('a decision is one line with its reason', () => {
  const decision = { at: '2026-01-02T03:04:05.678Z', model: '', result: 'unknown-model', why: 'queue-scorer 1.00×2' };
  expect(decisionLine(decision)).toBe('03:04:05.678 (no model) → unknown-model  queue-scorer 1.00×2');
});

test('samples of a family are read, and none of a family whose name only begins so', () => {
  const page = '# TYPE a_total counter\na_total{x="1"} 2\na_total 3.5\na_total_created 9\nb 1\n';
  expect(samples(page, 'a_total')).toEqual([
    { labels: 'x="1"', value: 2 },
    { labels: '', value: 3.5 },
  ]);
});
