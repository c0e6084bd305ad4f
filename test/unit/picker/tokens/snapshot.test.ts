import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import type { Logger } from '../../../../src/picker/telemetry/log';
import { parseSnapshot, snapshotText, type UseRecord } from '../../../../src/picker/tokens/limit-snapshot';
import { SnapshotFile } from '../../../../src/picker/tokens/snapshot-file';
import { fuzzRuns } from '../../../property/corpus';
import { isDenied, limit, outcome, subject, world } from './support';

const folder = mkdtempSync(path.join(tmpdir(), 'snapshot-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => path.join(folder, `limits-${++files}`);

function over(file: string, parts = world([limit()])) {
  const lines: { level: string; text: string; facts: Record<string, unknown> }[] = [];
  const at =
    (level: string) =>
    (facts: Record<string, unknown>, text: string): unknown =>
      lines.push({ level, text, facts });
  const log = { info: at('info'), error: at('error') } as unknown as Logger;
  return { ...parts, lines, snapshot: new SnapshotFile(file, { budgets: parts.budgets.memory, log, clock: parts.clock }) };
}

test('a picker that is started again counts on where the one before it stopped', async () => {
  const file = newFile();
  const first = over(file);
  first.settle(first.pass(), outcome({ outputTokens: 700 }));
  await first.snapshot.stop();
  const second = over(file);
  second.snapshot.restore();
  expect(second.used()).toBe(700);
  expect(second.lines).toMatchObject([{ level: 'info', facts: { keys: 1, ageSeconds: 0 } }]);
  expect(isDenied(second.ask())).toBe(false);
  second.clock.advance(90_000);
  expect(second.used()).toBe(400);
});

test('what was set aside when a picker was killed stays used: nobody says any more how much of it was', async () => {
  const file = newFile();
  const first = over(file);
  first.pass();
  await first.snapshot.stop();
  const second = over(file);
  second.snapshot.restore();
  expect([...second.budgets.memory.standings(second.budgets.rules[0]!)]).toMatchObject([
    { used: 100, use: { open: 0, reserved: 0 } },
  ]);
});

test('a limit that is gone is left out, and a window that is to come is taken for this one', () => {
  const { budgets, used } = world([limit()]);
  const known = budgets.rules[0]!.identity;
  const record = { limit: known, key: 'alice', window: 9_000_000, current: 300, previous: 0 };
  expect(budgets.memory.restore([record, { ...record, limit: 'gone' }])).toBe(1);
  expect(used()).toBe(300);
});

test.each([
  ['nothing', ''],
  ['something else', 'hello\n'],
  ['of another version', `${JSON.stringify({ kind: 'cdk8s-ai-gateway limits', version: 0, savedAtMs: 1 })}\n{"records":0}\n`],
])('a file that holds %s is said, and ignored', (_, text) => {
  const file = newFile();
  writeFileSync(file, text);
  const { snapshot, lines, used } = over(file);
  snapshot.restore();
  expect(lines).toMatchObject([{ level: 'error', text: 'the snapshot of limits cannot be used, all start at nothing' }]);
  expect(used()).toBe(0);
});

test('the first start has no snapshot, which is no error', () => {
  const { snapshot, lines } = over(newFile());
  snapshot.restore();
  expect(lines).toMatchObject([{ level: 'info' }]);
});

test('a file that cannot be written is refused before it is needed, and said once when it comes later', async () => {
  const { snapshot, lines, pass } = over('/proc/no-such-folder/limits');
  expect(snapshot.problem()).toMatchObject({ code: 'AIG530', value: '/proc/no-such-folder/limits' });
  pass();
  await snapshot.stop();
  await snapshot.stop();
  expect(lines).toHaveLength(1);
});

test('the file is replaced as a whole, and only when something has changed', async () => {
  const file = newFile();
  const { snapshot, pass } = over(file);
  pass();
  await snapshot.stop();
  const before = readFileSync(file, 'utf8');
  rmSync(file);
  await snapshot.stop();
  expect(existsSync(file)).toBe(false);
  pass(subject({ client: 'bob' }));
  await snapshot.stop();
  expect(existsSync(`${file}.new`)).toBe(false);
  expect(readFileSync(file, 'utf8')).not.toBe(before);
});

const record: fc.Arbitrary<UseRecord> = fc.record({
  limit: fc.string(),
  key: fc.string({ unit: 'binary' }),
  window: fc.nat(),
  current: fc.nat(),
  previous: fc.nat(),
});

test('what is written is read, and cut off anywhere it is none', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 20 }),
      fc.nat(),
      fc.double({ min: 0, max: 0.9999, noNaN: true }),
      (records, at, cut) => {
        const text = [...snapshotText(records, at)].join('');
        expect(parseSnapshot(text)).toEqual({ records, savedAtMs: at });
        expect(parseSnapshot(text.slice(0, Math.floor(text.length * cut)))).toHaveProperty('fault');
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});

test('any other text is none, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.json()), (first, lines) => {
      expect(parseSnapshot([first, ...lines].join('\n'))).toHaveProperty('fault');
    }),
    { numRuns: fuzzRuns(300) },
  );
});
