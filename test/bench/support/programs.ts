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
  return JSON.parse(
    await runOnClientCore('load', JSON.stringify(options), options.seconds + options.warmupSeconds),
  ) as LoadResult;
}

async function runOnClientCore(name: 'load', argument: string, expectedSeconds: number): Promise<string> {
  const [program, args] = pinned(CLIENT_CORE, process.execPath, [benchProgram(name), argument]);
  const { stdout } = await promisify(execFile)(program, args, { timeout: (expectedSeconds + 30) * 1000 });
  return stdout;
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
