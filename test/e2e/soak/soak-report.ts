import type { Failure } from '../support/load';
import type { Sample } from './samples';

export interface SoakRun {
  readonly minutes: number;
  /** Requests per second that were asked for. */
  readonly rate: number;
  readonly sent: number;
  /** Clients that left before their answer was whole. */
  readonly left: number;
  readonly failures: readonly Failure[];
  readonly samples: readonly Sample[];
  /** Those after the warm-up. */
  readonly judged: readonly Sample[];
  readonly leftover: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

/** Memory is flat where the line through the samples rises by no more than this over the judged part. */
const MAX_RISE_RATIO = 0.05;
const MAX_RISE_MB = 5;
/** Of the rate: a machine that is too slow shows nothing about endurance. */
const MIN_RATE_RATIO = 0.97;
const ROWS = 16;

/** Everything that a run should not show; empty when it passed. */
export function verdicts(
  judged: readonly Sample[],
  failures: readonly Failure[],
  leftover: SoakRun['leftover'],
  rate: number,
): string[] {
  const findings: string[] = [];
  const [first] = failures;
  if (first !== undefined) findings.push(`${failures.length} requests failed, the first with ${first.status}: ${first.why}`);
  for (const [what, value] of Object.entries(leftover))
    if (value !== 0) findings.push(`${value} ${what} are left after the last answer`);
  for (const name of ['picker', 'envoy']) {
    const { meanMb, riseMb } = memoryTrend(judged, name);
    if (riseMb > Math.max(MAX_RISE_MB, MAX_RISE_RATIO * meanMb))
      findings.push(`the memory of ${name} rose by ${riseMb.toFixed(1)} MB`);
  }
  const answered = mean(judged.map(({ perSecond }) => perSecond));
  if (answered < MIN_RATE_RATIO * rate) findings.push(`${answered.toFixed(0)} of ${rate} requests per second were answered`);
  return findings;
}

/** Least squares through the samples of a process. `riseMb`: from the first to the last. */
export function memoryTrend(samples: readonly Sample[], name: string): { readonly meanMb: number; readonly riseMb: number } {
  const seconds = samples.map((sample) => sample.seconds);
  const sizes = samples.map(({ rssMb }) => rssMb[name]!);
  const [meanSeconds, meanMb] = [mean(seconds), mean(sizes)];
  const spread = seconds.reduce((sum, at) => sum + (at - meanSeconds) ** 2, 0);
  const together = seconds.reduce((sum, at, index) => sum + (at - meanSeconds) * (sizes[index]! - meanMb), 0);
  return { meanMb, riseMb: spread === 0 ? 0 : (together / spread) * (seconds.at(-1)! - seconds[0]!) };
}

export function soakReport(run: SoakRun): string {
  const { minutes, rate, sent, left, failures, samples, judged, leftover, findings } = run;
  const names = Object.keys(samples[0]!.rssMb);
  const step = Math.max(1, Math.ceil(samples.length / ROWS));
  const rows = samples.filter((_, index) => index % step === step - 1 || index === samples.length - 1);
  const lines = [
    `${minutes} minutes at ${rate} requests/s: ${sent} requests, ${failures.length} failed, ${left} clients left early on purpose.`,
    `After the last answer: ${Object.entries(leftover)
      .map(([what, value]) => `${value} ${what}`)
      .join(', ')}. **${findings.length === 0 ? 'Passed' : 'Not passed'}**${findings.map((finding) => `; ${finding}`).join('')}.`,
    '',
    '| Process | Memory, mean | Rise over the judged part | Cores | CPU per request |',
    '|---|--:|--:|--:|--:|',
    ...names.map((name) => {
      const { meanMb, riseMb } = memoryTrend(judged, name);
      const cores = mean(judged.map((sample) => sample.cores[name]!));
      const perSecond = mean(judged.map((sample) => sample.perSecond));
      return `| ${name} | ${meanMb.toFixed(1)} MB | ${riseMb >= 0 ? '+' : '−'}${Math.abs(riseMb).toFixed(1)} MB | ${cores.toFixed(3)} | ${((cores / perSecond) * 1e6).toFixed(0)} µs |`;
    }),
    '',
    '| Time | Answers/s | p50 | p99 | picker | envoy |',
    '|--:|--:|--:|--:|--:|--:|',
    ...rows.map(
      ({ seconds, perSecond, p50Ms, p99Ms, rssMb }) =>
        `| ${(seconds / 60).toFixed(1)} min | ${perSecond.toFixed(0)} | ${p50Ms} ms | ${p99Ms} ms | ${rssMb['picker']!.toFixed(1)} MB | ${rssMb['envoy']!.toFixed(1)} MB |`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
