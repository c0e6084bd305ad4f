import { parseArgs } from 'node:util';
import { type Scenario, SMALL_SCENARIOS } from '../../../src/simulation/routing/scenarios';
import { stopAll } from '../../components/process';
import { report } from './report';
import { LIVE_ROUTERS, type LiveRouter, missingFor } from './routers';
import { type LiveRun, type RunLength, runOnce } from './run';
import { appendRun, readRuns, sameRun } from './runs-file';

const help = `npm run bench -- --quality [flags]

How well requests are routed: open-loop traffic of streamed answers, through each router, to six simulated engines.

  --routers LIST     some of ${LIVE_ROUTERS.map(({ name }) => name).join(',')}
  --traffic LIST     only traffic whose name contains one of these, e.g. 'shared 40/s,turns'
  --seconds N        length of a run, of which the first quarter is not measured (12)
  --repeat N         repetitions, of which medians are shown (5)
  --parallel N       runs at a time, each with engines of its own (1)
  --json FILE        takes down each run, one line of JSON for each, and skips those that are in it already
  --report FILE      no runs: only shows those of the file
  --install          installs routers that are missing (the same as AIG_INSTALL=1)
`;

/** What is not finished so long after the last arrival has not been served. */
const PATIENCE_SECONDS = 20;
const WARM_UP_RATIO = 0.25;

interface Task {
  readonly router: LiveRouter;
  readonly scenario: Scenario;
  readonly repetition: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      routers: { type: 'string', default: LIVE_ROUTERS.map(({ name }) => name).join(',') },
      traffic: { type: 'string', default: '' },
      seconds: { type: 'string', default: '12' },
      repeat: { type: 'string', default: '5' },
      parallel: { type: 'string', default: '1' },
      json: { type: 'string' },
      report: { type: 'string' },
      install: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (values.install) process.env['AIG_INSTALL'] = '1';
  const seconds = count('--seconds', values.seconds);
  const length: RunLength = { seconds, warmUpSeconds: WARM_UP_RATIO * seconds, patienceSeconds: PATIENCE_SECONDS };
  const scenarios = SMALL_SCENARIOS.filter(({ name }) => values.traffic.split(',').some((part) => name.includes(part)));
  if (scenarios.length === 0)
    throw new Error(
      `--traffic: none is called '${values.traffic}'; there are ${SMALL_SCENARIOS.map(({ name }) => name).join('; ')}`,
    );
  const wanted = named(values.routers);
  if (values.report !== undefined) {
    show(readRuns(values.report), scenarios, wanted, length);
    return;
  }

  const routers = wanted.filter((router) => {
    const missing = missingFor(router);
    if (missing !== undefined) process.stderr.write(`SKIPPED ${router.name}: ${missing}\n`);
    return missing === undefined;
  });
  const tasks = tasksFor(routers, scenarios, count('--repeat', values.repeat));
  const done = values.json === undefined ? [] : readRuns(values.json);
  const left = tasks.filter(({ router, scenario, repetition }) => {
    const key = { router: router.name, traffic: scenario.name, repetition, ...length };
    return !done.some((run) => sameRun(run, key));
  });
  const failed = await runAll(left, count('--parallel', values.parallel), length, (run) => {
    done.push(run);
    if (values.json !== undefined) appendRun(values.json, run);
  });
  show(done, scenarios, wanted, length);
  for (const failure of failed) process.stdout.write(`! ${failure}\n`);
  if (failed.length > 0) process.exitCode = 1;
}

function named(list: string): LiveRouter[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !LIVE_ROUTERS.some((router) => router.name === name));
  if (unknown.length === 0) return LIVE_ROUTERS.filter(({ name }) => names.includes(name));
  throw new Error(
    `--routers: none is called ${unknown.join(', ')}; there are ${LIVE_ROUTERS.map(({ name }) => name).join(', ')}`,
  );
}

/** Routers in turn, so that a bad moment of the machine does not hit one alone. */
function tasksFor(routers: readonly LiveRouter[], scenarios: readonly Scenario[], repetitions: number): Task[] {
  const rounds = Array.from({ length: repetitions }, (_, i) => i + 1);
  return rounds.flatMap((repetition) =>
    scenarios.flatMap((scenario) => routers.map((router) => ({ router, scenario, repetition }))),
  );
}

/** What became of the tasks that failed. */
async function runAll(
  tasks: readonly Task[],
  parallel: number,
  length: RunLength,
  finished: (run: LiveRun) => void,
): Promise<string[]> {
  const failed: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < tasks.length; i = next++) {
      const { router, scenario, repetition } = tasks[i]!;
      const title = `${scenario.name}, ${router.name}, repetition ${repetition}`;
      try {
        const run = await runOnce(router, scenario, repetition, length);
        finished(run);
        process.stderr.write(`${i + 1} of ${tasks.length}: ${title}: ${inShort(run)}\n`);
      } catch (error) {
        failed.push(`${title}: ${(error as Error).message}`);
        process.stderr.write(`${i + 1} of ${tasks.length}: ${title}: ${(error as Error).message}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return failed;
}

function inShort({ served, offered, ttftMeanMs, ttftP99Ms, totalMeanMs, hitRatio, cores, machineBusyRatio }: LiveRun): string {
  const all = Object.values(cores).reduce((sum, value) => sum + value, 0);
  return (
    `${served} of ${offered} served, TTFT ${ttftMeanMs.toFixed(0)} ms, p99 ${ttftP99Ms.toFixed(0)} ms, E2E ${totalMeanMs.toFixed(0)} ms, ` +
    `hits ${hitRatio.toFixed(2)}; ${all.toFixed(2)} cores, machine ${(100 * machineBusyRatio).toFixed(0)} % busy`
  );
}

/** The runs that were asked for, in the order of traffic and routers. */
function show(runs: readonly LiveRun[], scenarios: readonly Scenario[], routers: readonly LiveRouter[], length: RunLength): void {
  const shown = scenarios.flatMap((scenario) =>
    routers.flatMap((router) =>
      runs.filter((run) => run.traffic === scenario.name && run.router === router.name && run.seconds === length.seconds),
    ),
  );
  if (shown.length === 0) throw new Error(`there is no run of ${length.seconds} s to show`);
  process.stdout.write(report(shown));
}

function count(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} must be a whole number from 1 (got '${text}')`);
  return value;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAll().then(() => process.exit(130)));
main()
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(() => stopAll());
