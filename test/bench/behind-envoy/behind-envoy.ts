import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEnvoy } from '../../components/envoy-bootstrap';
import { eventually, startProcess } from '../../components/process';
import { requireComponent } from '../../components/resolver';
import type { Durations } from '../measure';
import { median } from '../report';
import { CLIENT_CORE, pinned, SERVER_CORE } from '../support/pinning';
import { cpuMs } from '../support/process-usage';
import { benchProgram } from '../support/programs';
import type { Subject } from '../support/subjects';
import type { HttpLoadOptions, HttpLoadResult } from './http-load';

export interface BehindEnvoyResult extends HttpLoadResult {
  readonly subject: string;
  readonly promptBytes: number;
  readonly pickerCpuMicrosPerRequest: number;
  readonly envoyCpuMicrosPerRequest: number;
}

/** At these rates V8 goes on compiling the picker for about ten seconds; a picker in a cluster has that behind it. */
const WARM_UP_SECONDS = 10;

const prompts = [
  { label: '0.2 KB', promptBytes: 210 },
  { label: '16 KB', promptBytes: 16_384 },
];

/**
 * The question that an operator asks: how much CPU does the picker need beside the proxy that asks it? Envoy (one worker) and the picker share
 * a core, clients and engines the other; the ratio of their CPU times does not depend on who waits for whom.
 */
export async function behindEnvoy(
  subjects: readonly Subject[],
  durations: Durations,
  rounds: number,
): Promise<BehindEnvoyResult[]> {
  const envoy = requireComponent('envoy');
  const results: BehindEnvoyResult[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      process.stderr.write(`behind Envoy, round ${round + 1}, ${subject.name}\n`);
      results.push(...(await runOne(subject, envoy, durations)));
    }
  }
  for (const { label, promptBytes } of prompts) {
    for (const subject of subjects) {
      const runs = results.filter((result) => result.subject === subject.name && result.promptBytes === promptBytes);
      const of = (read: (result: BehindEnvoyResult) => number) => median(runs.map(read));
      const pickerMicros = of((result) => result.pickerCpuMicrosPerRequest);
      const envoyMicros = of((result) => result.envoyCpuMicrosPerRequest);
      process.stdout.write(
        `${label}, ${subject.name}: ${of((result) => result.requestsPerSecond).toFixed(0)} requests/s, ` +
          `p50 ${of((result) => result.p50Ms).toFixed(1)} ms, p99 ${of((result) => result.p99Ms).toFixed(1)} ms, ` +
          `picker ${pickerMicros.toFixed(0)} µs, Envoy ${envoyMicros.toFixed(0)} µs: ${(pickerMicros / envoyMicros).toFixed(2)} of Envoy's CPU, ` +
          `${runs.reduce((sum, result) => sum + result.errors, 0)} errors\n`,
      );
    }
  }
  return results;
}

async function runOne(subject: Subject, envoyProgram: string, durations: Durations): Promise<BehindEnvoyResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const engines = await Promise.all([0, 1].map(startFastEngine));
  const ports = engines.map((engine) => Number(engine.readyMatch[1]));
  const server = await subject.start(ports, folder);
  const wrapper = (program: string, args: readonly string[]) => pinned(SERVER_CORE, program, args);
  const envoy = await startEnvoy(envoyProgram, { pickerPort: server.port, enginePorts: ports, wrapper });
  try {
    await eventually('an answer through Envoy', async () => (await fetch(`${envoy.url}/v1/models`)).ok);
    const results: BehindEnvoyResult[] = [];
    for (const { promptBytes } of prompts) {
      const options = {
        port: envoy.port,
        clients: 32,
        promptBytes,
        seconds: durations.seconds,
        warmupSeconds: Math.max(WARM_UP_SECONDS, durations.warmupSeconds),
      };
      results.push({
        subject: subject.name,
        promptBytes,
        ...(await measureLoad(options, server.process.pid, envoy.process.pid)),
      });
    }
    return results;
  } finally {
    await Promise.all([envoy.process, server.process, ...engines].map((running) => running.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An engine that answers at once: what is measured is the way to it. */
function startFastEngine() {
  const flags = ['--mode', 'echo', '--speed', '1000', '--profile', 'maxModelTokens=65536', '--profile', 'kvBlocks=100000'];
  const [program, args] = pinned(CLIENT_CORE, process.execPath, [benchProgram('engine'), ...flags]);
  return startProcess(program, { args, ready: /engine listening on http:\S+:(\d+)/ });
}

async function measureLoad(options: HttpLoadOptions, pickerPid: number, envoyPid: number) {
  const [program, args] = pinned(CLIENT_CORE, process.execPath, [benchProgram('http-load'), JSON.stringify(options)]);
  const load = await startProcess(program, { args, ready: /begin\n/, readyTimeoutMs: (options.warmupSeconds + 20) * 1000 });
  const before = [cpuMs(pickerPid), cpuMs(envoyPid)] as const;
  await eventually('the end of the run', () => load.output().includes('end\n'), (options.seconds + 20) * 1000, 5);
  const [pickerMs, envoyMs] = [cpuMs(pickerPid) - before[0], cpuMs(envoyPid) - before[1]];
  await load.exited;
  const result = JSON.parse(load.output().trim().split('\n').at(-1)!) as HttpLoadResult;
  return {
    ...result,
    pickerCpuMicrosPerRequest: (pickerMs / result.requests) * 1000,
    envoyCpuMicrosPerRequest: (envoyMs / result.requests) * 1000,
  };
}
