import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

if (process.env['FUZZ_RUNS'] !== undefined) jest.setTimeout(3_600_000);

/** Runs of a property: few in every test run, many with FUZZ_RUNS set. */
export function fuzzRuns(usual: number): number {
  return process.env['FUZZ_RUNS'] === undefined ? usual : Number(process.env['FUZZ_RUNS']);
}

/** Inputs that once went wrong or are hard, by file name. */
export function corpus(kind: 'protobuf' | 'json' | 'sse' | 'http2'): [name: string, bytes: Buffer][] {
  const folder = join(__dirname, 'corpus', kind);
  return readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name))]);
}
