/** Counts of observations by upper bound. Observing costs a search in a short typed array and two additions. */
export class Histogram {
  /** One count per bound and a last one for what lies above; not cumulated. */
  public readonly counts: Float64Array;
  public sum = 0;

  /** @param bounds upper bounds, included, rising */
  public constructor(public readonly bounds: Float64Array) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  public observe(value: number): void {
    const { bounds } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low] = this.counts[low]! + 1;
    this.sum += value;
  }

  public get count(): number {
    return this.counts.reduce((total, count) => total + count, 0);
  }
}

const powersOfTwo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i));

/** Bounds of llm-d's picker v0.10, read off its metrics page, so that its dashboards fit. */
export const Bounds = {
  REQUEST_SECONDS: Float64Array.of(
    ...[0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 120],
    ...[180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600],
  ),
  TTFT_SECONDS: Float64Array.of(
    ...[0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 120],
  ),
  TPOT_SECONDS: Float64Array.of(
    ...[0.0005, 0.00205, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 2],
  ),
  ITL_SECONDS: Float64Array.of(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2),
  NTPOT_SECONDS: Float64Array.of(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
  REQUEST_BYTES: Float64Array.of(...powersOfTwo(6, 30)),
  // 32778 is no slip of ours: it is what llm-d uses
  RESPONSE_BYTES: Float64Array.of(1, ...powersOfTwo(3, 14), 32_778, 65_536),
  INPUT_TOKENS: Float64Array.of(1, ...powersOfTwo(3, 14), 32_778, ...powersOfTwo(16, 20)),
  OUTPUT_TOKENS: Float64Array.of(1, ...powersOfTwo(3, 13)),
  PROCESSING_SECONDS: Float64Array.of(
    ...[0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ),
  RESPONSE_SECONDS: Float64Array.of(
    ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  ),
  HIT_RATIO: Float64Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
  HIT_BYTES: Float64Array.of(0, ...powersOfTwo(4, 16)),
  SCHEDULER_SECONDS: Float64Array.of(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
  QUEUE_SECONDS: Float64Array.of(...[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]),
  STREAM_SECONDS: Float64Array.of(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600),
} as const;
