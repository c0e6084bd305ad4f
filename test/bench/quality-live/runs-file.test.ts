import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LiveRun } from './run';
import { appendRun, readRuns, sameRun } from './runs-file';

const RUN = { router: 'default', traffic: 'shared 40/s', repetition: 1, seconds: 12, warmUpSeconds: 3, ttftMeanMs: 4 } as LiveRun;
const folder = mkdtempSync(path.join(tmpdir(), 'runs-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file that grows run by run gives the runs back, also those without a figure', () => {
  const file = path.join(folder, 'runs.jsonl');
  expect(readRuns(file)).toEqual([]);
  const none = { ...RUN, router: 'random', ttftMeanMs: Number.NaN };
  appendRun(file, RUN);
  appendRun(file, none);
  expect(readRuns(file)).toEqual([RUN, none]);
});

test('what is cut off or broken is named', () => {
  const file = path.join(folder, 'cut.jsonl');
  appendRun(file, RUN);
  appendFileSync(file, '{"router":');
  expect(() => readRuns(file)).toThrow(/last line is cut off/);
  appendFileSync(file, '\n');
  expect(() => readRuns(file)).toThrow(/cut\.jsonl:2: /);
});

test('runs differ by router, traffic, repetition and length', () => {
  expect(sameRun(RUN, { ...RUN, ttftMeanMs: 9 } as LiveRun)).toBe(true);
  for (const change of [{ router: 'x' }, { traffic: 'x' }, { repetition: 2 }, { seconds: 13 }, { warmUpSeconds: 2 }])
    expect(sameRun(RUN, { ...RUN, ...change })).toBe(false);
});
