/** Go's duration syntax (`time.ParseDuration`) and Kubernetes' quantities, as llm-d's files and flags write them. */

const DURATION_UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** `1m30s`, `50ms` or `0` to milliseconds; undefined when it is not a duration, or a negative one. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    totalMs += Number(amount) * DURATION_UNIT_MS[unit!]!;
  }
  return totalMs;
}

/** The shortest exact duration in Go's syntax: 90,000 is `1m30s`, 50 is `50ms`. */
export function formatDurationMs(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 1_000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = Number(((ms % 60_000) / 1_000).toFixed(6));
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
}

const QUANTITY_FACTOR: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `1Gi`, `5k` or `100` (also `10MiB` and `25MB`, as llm-d's size flags allow) to a whole number; undefined when it is none. */
export function parseQuantity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|K|M|G|T)?(B)?$/.exec(text);
  if (match === null) return undefined;
  const suffix = match[2] === 'K' ? 'k' : (match[2] ?? '');
  const value = Number(match[1]) * QUANTITY_FACTOR[suffix]!;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The shortest exact quantity: 1,073,741,824 is `1Gi`, 5,000 is `5k`, and 50 stays a number. */
export function formatQuantity(value: number): string | number {
  if (value === 0) return 0;
  for (const suffix of ['Ti', 'T', 'Gi', 'G', 'Mi', 'M', 'Ki', 'k']) {
    const factor = QUANTITY_FACTOR[suffix]!;
    if (value % factor === 0) return `${value / factor}${suffix}`;
  }
  return value;
}
