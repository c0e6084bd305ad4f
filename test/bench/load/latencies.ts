/** Latencies in milliseconds, kept exactly. */
export class Latencies {
  private values = new Float64Array(1 << 16);
  count = 0;

  add(ms: number): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count++] = ms;
  }

  clear(): void {
    this.count = 0;
  }

  /** NaN when there are no values. */
  mean(): number {
    return this.values.subarray(0, this.count).reduce((sum, ms) => sum + ms, 0) / this.count;
  }

  /** Nearest-rank percentiles for ratios in [0, 1]; NaN when there are no values. */
  percentiles(ratios: readonly number[]): number[] {
    const sorted = this.values.slice(0, this.count).sort();
    return ratios.map((ratio) =>
      this.count === 0 ? Number.NaN : sorted[Math.min(this.count - 1, Math.ceil(ratio * this.count) - 1)]!,
    );
  }
}
