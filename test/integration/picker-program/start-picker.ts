import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pickerFlags } from '../../components/picker-files';
import { type RunningProcess, startProcess } from '../../components/process';

const root = join(__dirname, '../../..');
export const pickerBundle = join(root, 'dist/picker/main.js');

/** Builds the bundle as `npm run build` does. */
export function buildPicker(): void {
  execFileSync(process.execPath, [join(root, '.ci/build.mjs'), 'picker'], { stdio: 'ignore' });
}

/** What the picker says when it serves. */
export interface ServingLine {
  readonly grpcPort: number;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly debugPort?: number;
  readonly peerPort?: number;
  readonly endpoints: number;
}

export interface RunningPicker extends RunningProcess, ServingLine {
  /** From the start of the process to its word that it serves. */
  readonly startMs: number;
}

/** llm-d's command line for its file mode (reference picker without Kubernetes), on free ports of the loopback. */
export function fileModeFlags(config: string): string[] {
  const flags = pickerFlags(config, { grpc: 0, health: 0, metrics: 0 });
  return [...flags, '--bind-address', '127.0.0.1', '--debug-address', '127.0.0.1:0'];
}

/** @param before arguments of `program` before the bundle, where it is another program that runs Node */
export async function startPicker(
  flags: readonly string[],
  program = process.execPath,
  before: readonly string[] = [],
): Promise<RunningPicker> {
  const beganMs = performance.now();
  const running = await startProcess(program, {
    args: [...before, pickerBundle, ...flags],
    ready: /^(\{.*endpoint picker is serving.*\})$/m,
  });
  const startMs = performance.now() - beganMs;
  return { ...running, ...(JSON.parse(running.readyMatch[1]!) as ServingLine), startMs };
}

/** Runs a picker that is expected not to start; the objects that it logged. */
export async function refusedPicker(flags: readonly string[]): Promise<{ exit: number | string; messages: string[] }> {
  const running = await startProcess(process.execPath, { args: [pickerBundle, ...flags] });
  const exit = await running.exited;
  return { exit, messages: logged(running).map(({ msg }) => msg) };
}

/** The lines of a picker's log. */
export function logged(running: RunningProcess): { level: string; msg: string }[] {
  return running
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

/** An engine as far as a scraper sees it. */
export async function metricsEngine(
  waiting: () => number,
  kvUsageRatio: () => number = () => 0.25,
): Promise<{ port: number; server: Server }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain');
    const gauges = { num_requests_waiting: waiting(), num_requests_running: 1, kv_cache_usage_perc: kvUsageRatio() };
    const lines = Object.entries(gauges).map(
      ([name, value]) => `# TYPE vllm:${name} gauge\nvllm:${name}{model_name="m"} ${value}\n`,
    );
    // the reference reads typed families only
    response.end(
      `${lines.join('')}# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{block_size="16",num_gpu_blocks="1000"} 1\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}
