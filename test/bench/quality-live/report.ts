import { median } from '../report';
import { OURS, REFERENCE } from './routers';
import type { LiveRun } from './run';
import { best, COLUMNS, type Column, spread, verdict } from './verdict';

type ByRouter = ReadonlyMap<string, readonly LiveRun[]>;

/** With fewer, one odd run decides. */
const ENOUGH_REPETITIONS = 5;
const BUSY_MACHINE = 0.9;
const LATE_CLIENT_MS = 100;

/** Figures, verdicts and doubts, as Markdown. Runs come in the order in which they are to be shown. */
export function report(runs: readonly LiveRun[]): string {
  const traffics = new Map<string, Map<string, LiveRun[]>>();
  for (const run of runs) {
    const routers = traffics.get(run.traffic) ?? new Map<string, LiveRun[]>();
    traffics.set(run.traffic, routers.set(run.router, [...(routers.get(run.router) ?? []), run]));
  }
  const parts = [figures(traffics)];
  const compared = new Map([...traffics].filter(([, routers]) => routers.has(OURS) && routers.size > 1));
  if (compared.size > 0) parts.push(verdicts(compared));
  parts.push(cpu(runs), ...doubts(runs, traffics).map((doubt) => `! ${doubt}`));
  return `${parts.join('\n\n')}\n`;
}

/** Medians and, behind `±`, half the range of the repetitions. */
function figures(traffics: ReadonlyMap<string, ByRouter>): string {
  const rows = [...traffics].flatMap(([traffic, routers]) =>
    [...routers].map(([router, runs]) => [traffic, router, ...COLUMNS.map((column) => cell(column, runs))]),
  );
  return table(['traffic', 'router', ...COLUMNS.map(({ title }) => title)], rows);
}

function cell(column: Column, runs: readonly LiveRun[]): string {
  const values = runs.map(column.of);
  const shown = column.shown(median(values));
  const noise = column.shown(spread(values));
  return runs.length === 1 || Number(noise.replace(' %', '')) === 0 ? shown : `${shown} ±${noise}`;
}

/** Ours against the best of those that serve at least 99 %, and against the reference picker. */
function verdicts(traffics: ReadonlyMap<string, ByRouter>): string {
  const rows: string[][] = [];
  const count = { cells: 0, noWorse: 0, reference: 0, better: 0, worse: 0 };
  for (const [traffic, routers] of traffics) {
    const ours = routers.get(OURS)!;
    const others = new Map([...routers].filter(([name]) => name !== OURS));
    const againstBest = COLUMNS.map((column) => {
      const name = best(column, others);
      const found = name === undefined ? 'better' : verdict(column, ours, others.get(name)!);
      count.cells++;
      if (found !== 'worse') count.noWorse++;
      return name === undefined ? 'alone' : `${said(found)} ${name}`;
    });
    rows.push([traffic, 'the best', ...againstBest]);
    const reference = others.get(REFERENCE);
    if (reference === undefined) continue;
    const againstReference = COLUMNS.map((column) => verdict(column, ours, reference));
    count.reference += againstReference.length;
    count.better += againstReference.filter((found) => found === 'better').length;
    count.worse += againstReference.filter((found) => found === 'worse').length;
    rows.push([traffic, REFERENCE, ...againstReference.map(said)]);
  }
  const { cells, noWorse, reference, better, worse } = count;
  const summary =
    `${OURS}: no worse than the best of the others in ${noWorse} of ${cells} cells` +
    (reference === 0
      ? ''
      : `; against ${REFERENCE} better in ${better}, worse in ${worse} of ${reference}, no difference in the rest`);
  return `${table(['traffic', 'against', ...COLUMNS.map(({ title }) => title)], rows)}\n\n${summary}`;
}

function said(found: 'better' | 'same' | 'worse'): string {
  return found === 'worse' ? '**worse**' : found;
}

/** Cores that one run takes, by process: what may run at the same time follows from it. */
function cpu(runs: readonly LiveRun[]): string {
  const rows = [...new Set(runs.map(({ router }) => router))].map((router) => {
    const own = runs.filter((run) => run.router === router);
    const names = Object.keys(own[0]!.cores);
    const parts = names.map((name) => `${name} ${median(own.map(({ cores }) => cores[name] ?? 0)).toFixed(2)}`);
    const all = own.map(({ cores }) => Object.values(cores).reduce((sum, value) => sum + value, 0));
    return [router, median(all).toFixed(2), Math.max(...all).toFixed(2), parts.join(', ')];
  });
  return table(['router', 'cores in the median', 'at most', 'by process'], rows);
}

/** What makes figures worthless: said below the tables instead of hidden in them. */
export function doubts(runs: readonly LiveRun[], traffics: ReadonlyMap<string, ByRouter>): string[] {
  const found: string[] = [];
  const fewest = Math.min(...[...traffics.values()].flatMap((routers) => [...routers.values()].map(({ length }) => length)));
  if (fewest < ENOUGH_REPETITIONS)
    found.push(`some traffic was repeated ${fewest} times only: with fewer than ${ENOUGH_REPETITIONS}, a verdict is a guess`);
  const busy = runs.filter(({ machineBusyRatio }) => machineBusyRatio > BUSY_MACHINE);
  if (busy.length > 0)
    found.push(
      `in ${busy.length} of ${runs.length} runs more than ${100 * BUSY_MACHINE} % of all cores were in use: waiting for them counts as well`,
    );
  const late = runs.filter(({ worstLagMs }) => worstLagMs > LATE_CLIENT_MS);
  if (late.length > 0) {
    const worst = Math.max(...late.map(({ worstLagMs }) => worstLagMs));
    found.push(
      `in ${late.length} runs the client sent a request more than ${LATE_CLIENT_MS} ms late, ${worst.toFixed(0)} ms at worst`,
    );
  }
  for (const [traffic, routers] of traffics) {
    for (const [router, own] of routers) {
      const errors = new Map<string, number>();
      for (const [error, count] of own.flatMap((run) => Object.entries(run.errors)))
        errors.set(error, (errors.get(error) ?? 0) + count);
      const list = [...errors].map(([error, count]) => `${count}× ${error}`).join(', ');
      if (list !== '') found.push(`${traffic}, ${router}, not served: ${list}`);
    }
  }
  return found;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
