import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type RunningProcess } from '../components/process';
import { LoadConnection, prepared } from './load/connection';
import { chatBody, requestBody, requestHeaders } from './load/messages';
import { IMMEDIATE } from './load/reply-reader';
import type { LoadResult } from './load/run-load';
import type { Scenario } from './scenarios';
import { cpuMs, memoryMb } from './support/process-usage';
import { loadRun, startMetricsPages } from './support/programs';
import type { Subject } from './support/subjects';

export interface Durations {
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly idleSeconds: number;
}

/** All that one start of one subject gave. */
export interface SubjectRun {
  readonly subject: string;
  readonly endpoints: number;
  /** From the start of the process to its first answered request. */
  readonly startUpMs: number;
  /** Of one core, while nobody asks it and its engines have nothing to do. */
  readonly idleCpuRatio: number;
  /** Of one core, while nobody asks it and its engines are at work. */
  readonly watchingCpuRatio: number;
  /** Metrics pages that it read meanwhile, per second and endpoint. */
  readonly watchingScrapesPerSecond: number;
  readonly idleRssMb: number;
  readonly peakRssMb: number;
  readonly loads: Readonly<Record<string, LoadResult>>;
}

/** Starts a subject with so many endpoints, and runs these scenarios one after another. */
export async function measure(
  subject: Subject,
  endpoints: number,
  scenarios: readonly Scenario[],
  durations: Durations,
): Promise<SubjectRun> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const pages = await startMetricsPages(endpoints);
  try {
    const startedAt = performance.now();
    const { process: server, port } = await subject.start(pages.ports, folder);
    await firstAnswer(port, server);
    const startUpMs = performance.now() - startedAt;

    await sleep(1000);
    const idleCpuRatio = await cpuRatio(server.pid, durations.idleSeconds);
    process.kill(pages.process.pid, 'SIGUSR2');
    // Longer than any picker waits before it looks at an idle engine again.
    await sleep(2000);
    const servedBefore = await pagesServed(pages.process);
    const watchingCpuRatio = await cpuRatio(server.pid, durations.idleSeconds);
    const served = (await pagesServed(pages.process)) - servedBefore;
    const watchingScrapesPerSecond = served / durations.idleSeconds / endpoints;
    const idleRssMb = memoryMb(server.pid).rss;

    const loads: Record<string, LoadResult> = {};
    for (const scenario of scenarios) {
      loads[scenario.name] = await loadRun({ ...scenario.load, ...durations, port, serverPid: server.pid });
    }
    const peakRssMb = memoryMb(server.pid).peak;
    await server.stop();
    return {
      subject: subject.name,
      endpoints,
      startUpMs,
      idleCpuRatio,
      watchingCpuRatio,
      watchingScrapesPerSecond,
      idleRssMb,
      peakRssMb,
      loads,
    };
  } finally {
    await pages.process.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks until a request's body comes back, which takes a listening server that knows its endpoints. */
async function firstAnswer(port: number, server: RunningProcess): Promise<void> {
  const body = chatBody(512, 0);
  const frames = prepared(requestHeaders(body.length), requestBody(body));
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    if (await answered(port, frames)) return;
    await sleep(5);
  }
  throw new Error(`no request was answered within 20 s; the server's last words:\n${server.output().slice(-800)}`);
}

async function answered(port: number, frames: Buffer): Promise<boolean> {
  const connection = new LoadConnection(port);
  try {
    await connection.ready;
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), 1000);
      const settle = (answer: boolean) => {
        clearTimeout(timer);
        resolve(answer);
      };
      const stream = connection.open({
        reply: (_stream, kind) => settle(kind !== IMMEDIATE),
        ended: () => settle(false),
      });
      connection.send(stream, frames);
    });
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}

async function pagesServed(pages: RunningProcess): Promise<number> {
  const told = () => pages.output().match(/served \d+ pages/g) ?? [];
  const before = told().length;
  process.kill(pages.pid, 'SIGUSR1');
  await eventually('the count of pages', () => told().length > before, 5000, 1);
  return Number(/\d+/.exec(told().at(-1)!)![0]);
}

async function cpuRatio(pid: number, seconds: number): Promise<number> {
  const before = cpuMs(pid);
  const startedAt = performance.now();
  await sleep(seconds * 1000);
  return (cpuMs(pid) - before) / (performance.now() - startedAt);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
