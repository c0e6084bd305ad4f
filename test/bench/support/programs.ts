import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningProcess, startProcess } from '../../components/process';
import type { LoadOptions, LoadResult } from '../load/run-load';
import { CLIENT_CORE, pinned } from './pinning';

/** The harness's own child programs, bundled by `start.mjs`. */
export function benchProgram(name: 'load' | 'static-metrics' | 'echo-server' | 'http-load' | 'engine'): string {
  const folder = process.env['BENCH_PROGRAMS'];
  if (folder === undefined) throw new Error('the benchmark is started with `npm run bench`, which bundles its programs');
  return join(folder, `${name}.js`);
}

/** One load run in a process of its own on the client's core. */
export async function loadRun(options: LoadOptions): Promise<LoadResult> {
  const [program, args] = pinned(CLIENT_CORE, process.execPath, [benchProgram('load'), JSON.stringify(options)]);
  const limitMs = (options.seconds + options.warmupSeconds + 30) * 1000;
  const { stdout } = await promisify(execFile)(program, args, { timeout: limitMs });
  // JSON has no NaN: it is null where nothing was answered, and null would count as 0.
  return JSON.parse(stdout, (_key, value: unknown) => (value === null ? Number.NaN : value)) as LoadResult;
}

export interface MetricsPages {
  readonly ports: readonly number[];
  readonly process: RunningProcess;
}

/** Endpoints that only have a metrics page, all of them in one process. */
export async function startMetricsPages(count: number): Promise<MetricsPages> {
  const [program, args] = pinned(CLIENT_CORE, process.execPath, [benchProgram('static-metrics'), String(count)]);
  const running = await startProcess(program, { args, ready: /ports ([\d,]+)\n/ });
  return { ports: running.readyMatch[1]!.split(',').map(Number), process: running };
}
