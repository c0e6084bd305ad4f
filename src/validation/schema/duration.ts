const GO_UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Names of a unit; the last of each is a prefix (`days`, `seconds`). */
const LONG_UNITS: readonly (readonly [number, ...string[]])[] = [
  [1, 'ns', 'nano'],
  [1e3, 'us', 'µs', 'micro'],
  [1e6, 'ms', 'milli'],
  [1e9, 's', 'sec'],
  [60e9, 'm', 'min'],
  [3600e9, 'h', 'hr', 'hour'],
  [24 * 3600e9, 'd', 'day'],
  [7 * 24 * 3600e9, 'w', 'wk', 'week'],
];

/**
 * Nanoseconds of a text of format `duration`, as the server reads it: Go's `1h30m`, else every `<count> <unit>` in it, whatever else
 * is there (`2 days`, and also `15s X`). Undefined: no duration. Source: ParseDuration of k8s.io/kube-openapi/pkg/validation/strfmt.
 */
export function parseDurationNanos(text: string): number | undefined {
  if (/^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) {
    let nanos = 0;
    for (const [, count, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]+)/g)) nanos += Number(count) * GO_UNITS[unit!]!;
    return Math.trunc(text.startsWith('-') ? -nanos : nanos);
  }
  let nanos: number | undefined;
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    for (const [size, ...names] of LONG_UNITS) {
      const name = unit!.toLowerCase();
      if (names.includes(name) || name.startsWith(names.at(-1)!)) nanos = (nanos ?? 0) + Number(count) * size;
    }
  }
  return nanos;
}
