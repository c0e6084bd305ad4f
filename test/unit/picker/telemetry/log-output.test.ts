import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogOutput } from '../../../../src/picker/telemetry/log-output';
import { eventually } from '../../../components/process';

let folder: string;
let file: string;
const open: number[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
  file = join(folder, 'log');
});
afterEach(() => rmSync(folder, { recursive: true }));
// not sooner: a write that is still under way must not meet another file under the same number
afterAll(() => {
  for (const fd of open) closeSync(fd);
});

function output(path: string): LogOutput {
  const fd = openSync(path, 'a');
  open.push(fd);
  return new LogOutput(fd);
}

test('lines come in order, whatever was under way when they were written', async () => {
  const log = output(file);
  const lines = Array.from({ length: 2000 }, (_, i) => `${i}\n`);
  for (const [i, line] of lines.entries()) {
    log.write(line);
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('the last line', () => readFileSync(file, 'utf8').endsWith('1999\n'));
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
});

test('what waits is written before flushSync returns', () => {
  const log = output(file);
  log.write('first\n');
  log.write('second\n');
  log.flushSync();
  expect(readFileSync(file, 'utf8')).toContain('second\n');
});

test('a full disk costs the lines, and nothing waits for it', async () => {
  const log = output('/dev/full');
  for (let i = 0; i < 100; i++) log.write(`${i}\n`);
  log.flushSync();
  await new Promise((resolve) => setTimeout(resolve, 50));
  log.write('after\n');
  log.flushSync();
});

test('a reader that is too slow costs the lines that no longer fit, and their number is said', async () => {
  const log = output(file);
  const line = `${'x'.repeat(1 << 20)}\n`;
  // the first is under way, four fit behind it
  for (let i = 0; i < 8; i++) log.write(line);
  const written = await eventually('the note, and what did fit', () => {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.length === 7 ? lines : undefined;
  });
  expect(written.filter((text) => text.startsWith('x'))).toHaveLength(5);
  expect(JSON.parse(written[1]!)).toMatchObject({ level: 'warn', count: 3, msg: 'lines of the log could not be written' });
});
