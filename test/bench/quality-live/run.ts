import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from '../../../src/simulation/routing/scenarios';
import { bundled } from '../../components/bundle';
import { eventually, type RunningProcess, startProcess } from '../../components/process';
import { cpuMs } from '../support/process-usage';
import { requestBody } from './chat';
import type { EnginesOptions, EngineTotals } from './engines';
import type { LoadOptions, LoadResult } from './load';
import type { LiveRouter } from './routers';

/** One traffic through one router, once. */
export interface LiveRun extends LoadResult {
  readonly router: string;
  readonly traffic: string;
  /** From 1; also says which traffic: the same repetition is the same for all routers. */
  readonly repetition: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Share of the prompt tokens that engines found in their caches, by their own counters. */
  readonly hitRatio: number;
  /** Answers of the engine that finished the most, to the mean. */
  readonly maxToMeanLoad: number;
  /** Cores that each process used while requests arrived. */
  readonly cores: Readonly<Record<string, number>>;
  /** Share of all cores of the machine that were in use meanwhile, by whomever. */
  readonly machineBusyRatio: number;
}

export interface RunLength {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly patienceSeconds: number;
}

/** Repetition k has the traffic of this seed + k: none by which the weights of the default profile were chosen. */
const FIRST_SEED = 11_000;

/** Of runs under way: an interrupted process leaves nothing behind. */
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const engines = (): string => bundled('../test/bench/quality-live/engines.ts');
const load = (): string => bundled('../test/bench/quality-live/load.ts');

/** Starts engines, a router and a client, each a process of its own, lets the traffic pass, and stops them. */
export async function runOnce(router: LiveRouter, scenario: Scenario, repetition: number, length: RunLength): Promise<LiveRun> {
  const folder = mkdtempSync(join(tmpdir(), 'quality-'));
  folders.add(folder);
  const running: Record<string, RunningProcess> = {};
  try {
    const { traffic, restarts } = scenario;
    const seed = FIRST_SEED + repetition;
    const options: EnginesOptions = { profiles: scenario.engines, adapters: traffic.adapters ?? [], seed };
    running['engines'] = await start(engines(), options, /control (\d+) engines (\S+)\n/);
    const [, control, ports] = running['engines'].readyMatch;
    const { port, processes } = await router.start(ports!.split(',').map(Number), folder);
    Object.assign(running, processes);
    await eventually('an answer through the router', () => answers(port), 30_000, 100);

    const wanted: LoadOptions = { port, traffic: scenario.name, seed, ...length };
    running['client'] = await start(load(), wanted, /warm\n/, length.warmUpSeconds * 1e3 + 15_000);
    const before = new Usage(running);
    const totalsBefore = await totals(control!);
    if (restarts) {
      await says(running['client'], /half\n/, length.seconds * 1e3);
      await fetch(`http://127.0.0.1:${control}/restart`, { method: 'POST' });
    }
    await says(running['client'], /end\n/, length.seconds * 1e3 + 15_000);
    const usage = before.since();
    const [, result] = await says(running['client'], /result (.*)\n/, length.patienceSeconds * 1e3 + 15_000);
    const { seconds, warmUpSeconds } = length;
    return {
      ...{ router: router.name, traffic: scenario.name, repetition, seconds, warmUpSeconds },
      ...(JSON.parse(result!, (_key, value: unknown) => (value === null ? Number.NaN : value)) as LoadResult),
      ...engineFigures(totalsBefore, await totals(control!)),
      ...usage,
    };
  } finally {
    await Promise.all(Object.values(running).map((each) => each.stop('SIGKILL')));
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  }
}

function start(program: string, options: object, ready: RegExp, readyTimeoutMs?: number): Promise<RunningProcess> {
  return startProcess(process.execPath, { args: [program, JSON.stringify(options)], ready, readyTimeoutMs });
}

function says(running: RunningProcess, pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
  return eventually(`${pattern} of the client`, () => pattern.exec(running.output()), limitMs, 10);
}

/** Whether a request reaches an engine and its answer comes back. */
async function answers(port: number): Promise<boolean> {
  const body = requestBody([{ role: 'user', content: 'hello' }]);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body, headers });
  await answer.arrayBuffer();
  return answer.ok;
}

async function totals(controlPort: string): Promise<EngineTotals> {
  return (await (await fetch(`http://127.0.0.1:${controlPort}/totals`)).json()) as EngineTotals;
}

function engineFigures(before: EngineTotals, after: EngineTotals): Pick<LiveRun, 'hitRatio' | 'maxToMeanLoad'> {
  const finished = after.finished.map((count, i) => count - before.finished[i]!);
  const mean = finished.reduce((sum, count) => sum + count, 0) / finished.length;
  return {
    hitRatio: (after.cachedTokens - before.cachedTokens) / (after.promptTokens - before.promptTokens),
    maxToMeanLoad: Math.max(...finished) / mean,
  };
}

/** CPU time from an instant on. */
class Usage {
  private readonly startedAt = performance.now();
  private readonly spentMs: Readonly<Record<string, number>>;
  private readonly machine = machineMs();

  public constructor(private readonly running: Readonly<Record<string, RunningProcess>>) {
    this.spentMs = this.spent();
  }

  public since(): Pick<LiveRun, 'cores' | 'machineBusyRatio'> {
    const wallMs = performance.now() - this.startedAt;
    const machine = machineMs();
    return {
      cores: Object.fromEntries(Object.entries(this.spent()).map(([name, ms]) => [name, (ms - this.spentMs[name]!) / wallMs])),
      machineBusyRatio: (machine.busy - this.machine.busy) / (machine.all - this.machine.all),
    };
  }

  private spent(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.running).map(([name, { pid }]) => [name, cpuMs(pid)]));
  }
}

function machineMs(): { readonly busy: number; readonly all: number } {
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, all: busy + idle };
}
