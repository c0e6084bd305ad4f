const RUNS = 7;
/** So long that the clock's resolution does not count. */
const RUN_MICROS = 50_000;

export interface CallCost {
  readonly medianMicros: number;
  readonly bestMicros: number;
}

/** CPU time of one call: what others do on the machine counts only as far as it empties the caches. */
export function callCost(call: (i: number) => void): CallCost {
  let calls = 1;
  let i = 0;
  const timed = (count: number): number => {
    const before = process.cpuUsage();
    for (let n = 0; n < count; n++) call(i++);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  while (timed(calls) < RUN_MICROS) calls *= 2;
  const times = Array.from({ length: RUNS }, () => timed(calls) / calls).sort((a, b) => a - b);
  return { medianMicros: times[RUNS >> 1]!, bestMicros: times[0]! };
}
