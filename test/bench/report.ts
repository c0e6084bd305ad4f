import type { SubjectRun } from './measure';
import type { Scenario } from './scenarios';

/** One line of the comparison: the same work done by both. */
export interface Comparison {
  readonly work: string;
  readonly endpoints: number;
  readonly metric: string;
  readonly ours: number;
  readonly rival: number;
  /** Above 1 ours is that many times better. */
  readonly ratio: number;
}

type Reading = [metric: string, of: (run: SubjectRun) => number, better: 'less' | 'more'];

/** Medians over the repetitions, ours against the rival's. */
export function compare(runs: readonly SubjectRun[], scenarios: readonly Scenario[], ours: string): Comparison[] {
  const lines: Comparison[] = [];
  const add = (work: string, endpoints: number, [metric, of, better]: Reading) => {
    const readings = (wanted: (subject: string) => boolean) =>
      median(runs.filter((run) => run.endpoints === endpoints && wanted(run.subject)).map(of));
    const own = readings((subject) => subject === ours);
    const other = readings((subject) => subject !== ours);
    lines.push({ work, endpoints, metric, ours: own, rival: other, ratio: better === 'less' ? other / own : own / other });
  };

  for (const { name, endpoints, load } of scenarios) {
    const of = (read: (result: SubjectRun['loads'][string]) => number) => (run: SubjectRun) => read(run.loads[name]!);
    if (load.ratePerSecond === undefined) add(name, endpoints, ['requests/s', of((result) => result.requestsPerSecond), 'more']);
    add(name, endpoints, ['CPU µs/request', of((result) => result.serverCpuMicrosPerRequest), 'less']);
    if (load.responseChunks) {
      add(name, endpoints, ['chunks/s', of((result) => result.chunksPerSecond), 'more']);
      add(name, endpoints, ['chunk p50 ms', of((result) => result.chunkMs.p50), 'less']);
      add(name, endpoints, ['chunk p99 ms', of((result) => result.chunkMs.p99), 'less']);
    } else {
      add(name, endpoints, ['p50 ms', of((result) => result.pickMs.p50), 'less']);
      add(name, endpoints, ['p99 ms', of((result) => result.pickMs.p99), 'less']);
    }
  }
  for (const endpoints of new Set(scenarios.map((scenario) => scenario.endpoints))) {
    add('idle engines', endpoints, ['% of a core', (run) => 100 * run.idleCpuRatio, 'less']);
    add('busy engines', endpoints, ['% of a core', (run) => 100 * run.watchingCpuRatio, 'less']);
    add('busy engines', endpoints, ['scrapes/s each', (run) => run.watchingScrapesPerSecond, 'more']);
    add('idle', endpoints, ['RSS MB', (run) => run.idleRssMb, 'less']);
    add('all load', endpoints, ['peak RSS MB', (run) => run.peakRssMb, 'less']);
    add('start-up', endpoints, ['ms to first answer', (run) => run.startUpMs, 'less']);
  }
  return lines;
}

/** What makes a reading worthless: named below the table instead of hidden in it. */
export function doubts(runs: readonly SubjectRun[]): string[] {
  const found: string[] = [];
  for (const { subject, endpoints, loads } of runs) {
    for (const [name, result] of Object.entries(loads)) {
      const where = `${subject}, ${endpoints} endpoints, ${name}`;
      if (result.requests === 0) found.push(`${where}: no answer at all`);
      if (result.errors > 0) found.push(`${where}: ${result.errors} errors beside ${result.requests} answers`);
      const usedRatio = Math.max(result.serverCpuRatio, result.clientCpuRatio);
      if (usedRatio < 0.6 && !name.endsWith('/s')) {
        const percent = Math.round(100 * usedRatio);
        found.push(
          `${where}: neither side got more than ${percent} % of its core, so others used them; only CPU per request means something`,
        );
      }
      // In an open loop the client spins towards the next arrival; there its CPU time says nothing.
      if (result.clientCpuRatio > 0.9 && !name.endsWith('/s')) {
        found.push(
          `${where}: the client used ${Math.round(100 * result.clientCpuRatio)} % of its core; requests/s may be its limit, CPU is not`,
        );
      }
    }
  }
  return found;
}

export function table(lines: readonly Comparison[], ours: string, rival: string): string {
  const rows = [
    ['Work', 'Endpoints', 'Measured', ours, rival, 'Better by'],
    ...lines.map((line) => [
      line.work,
      String(line.endpoints),
      line.metric,
      shown(line.ours),
      shown(line.rival),
      `${shown(line.ratio)}×`,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const text = rows.map(
    (row) =>
      `| ${row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`,
  );
  const rule = `|${widths.map((width, column) => (column < 3 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
