import { formatProblem, type Problem } from '../../../shared/problem';

/** What is wrong with an engine. */
export interface EngineFaults {
  /** Every step takes this many times as long. @default 1 */
  readonly slowFactor: number;
  /** No step begins any more: requests are taken and wait, while health and metrics answer. @default false */
  readonly stalled: boolean;
  /** Share of the requests for a model that are answered with `errorStatus`. @default 0 */
  readonly errorRatio: number;
  /** @default 500 */
  readonly errorStatus: number;
  /** Share of the answers whose connection is cut after `cutAfterTokens` tokens. @default 0 */
  readonly cutRatio: number;
  /** @default 1 */
  readonly cutAfterTokens: number;
  /** What the metrics page says in place of the truth; -1 for the truth. @default -1 */
  readonly reportedWaiting: number;
  readonly reportedRunning: number;
  readonly reportedKvUsageRatio: number;
  /** The metrics page takes requests and never answers. @default false */
  readonly metricsHang: boolean;
}

export const NO_FAULTS: EngineFaults = {
  slowFactor: 1,
  stalled: false,
  errorRatio: 0,
  errorStatus: 500,
  cutRatio: 0,
  cutAfterTokens: 1,
  reportedWaiting: -1,
  reportedRunning: -1,
  reportedKvUsageRatio: -1,
  metricsHang: false,
};

type Numbers = { [K in keyof EngineFaults]: EngineFaults[K] extends number ? K : never }[keyof EngineFaults];

const RANGES: Readonly<Record<Numbers, readonly [min: number, max: number, whole: boolean]>> = {
  slowFactor: [1, 1e6, false],
  errorRatio: [0, 1, false],
  errorStatus: [400, 599, true],
  cutRatio: [0, 1, false],
  cutAfterTokens: [1, 1e9, true],
  reportedWaiting: [-1, 1e9, true],
  reportedRunning: [-1, 1e9, true],
  reportedKvUsageRatio: [-1, 1, false],
};

/** Faults with these changes; throws one error that lists everything that is wrong with them. */
export function engineFaults(changes: Readonly<Record<string, unknown>>, faults: EngineFaults = NO_FAULTS): EngineFaults {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const range = Object.hasOwn(RANGES, name) ? RANGES[name as Numbers] : undefined;
    const isKnown = Object.hasOwn(NO_FAULTS, name);
    const isRight = range === undefined ? typeof value === 'boolean' : isInside(value, range);
    if (isKnown && isRight) continue;
    problems.push({
      code: 'AIG591',
      what: isKnown ? `fault ${name} has a wrong value` : `an engine has no fault '${name}'`,
      ...(isKnown ? { value } : {}),
      allowed: isKnown ? allowed(range) : Object.keys(NO_FAULTS).join(', '),
      fix: 'correct or remove it',
    });
  }
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'));
  return { ...faults, ...changes };
}

function isInside(value: unknown, [min, max, whole]: readonly [number, number, boolean]): boolean {
  return typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
}

function allowed(range: readonly [number, number, boolean] | undefined): string {
  if (range === undefined) return 'true, false';
  return `${range[2] ? 'a whole number, ' : ''}${range[0]} to ${range[1]}`;
}
