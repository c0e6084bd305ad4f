import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { LiveRun } from './run';

/** What makes two runs the same: it need not be done twice. */
export type RunKey = Pick<LiveRun, 'router' | 'traffic' | 'repetition' | 'seconds' | 'warmUpSeconds'>;

export function sameRun(a: RunKey, b: RunKey): boolean {
  return (
    a.router === b.router &&
    a.traffic === b.traffic &&
    a.repetition === b.repetition &&
    a.seconds === b.seconds &&
    a.warmUpSeconds === b.warmUpSeconds
  );
}

/** Runs that are finished, one line of JSON for each; none where the file is not there. */
export function readRuns(file: string): LiveRun[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const unfinished = lines.pop()!;
  if (unfinished !== '') throw new Error(`${file}: its last line is cut off: remove '${unfinished.slice(0, 60)}…'`);
  return lines.map((line, i) => {
    try {
      // JSON has no NaN: it is null where nothing was served, and null would count as 0
      return JSON.parse(line, (_key, value: unknown) => (value === null ? Number.NaN : value)) as LiveRun;
    } catch (error) {
      throw new Error(`${file}:${i + 1}: ${(error as Error).message}`);
    }
  });
}

export function appendRun(file: string, run: LiveRun): void {
  appendFileSync(file, `${JSON.stringify(run)}\n`);
}
