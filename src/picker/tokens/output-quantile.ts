const KEPT_ANSWERS = 128;
const MIN_ANSWERS = 16;
/** Sorting costs some microseconds, so not every answer does it. */
const ANSWERS_PER_SORT = 16;

/** The length that nine of ten of the last answers stay below. */
export class OutputQuantile {
  private readonly kept = new Float64Array(KEPT_ANSWERS);
  private seen = 0;
  private value: number | undefined;

  /** Undefined until enough answers were seen. */
  public get p90(): number | undefined {
    return this.value;
  }

  public add(tokens: number): void {
    this.kept[this.seen % KEPT_ANSWERS] = tokens;
    this.seen++;
    if (this.seen < MIN_ANSWERS || this.seen % ANSWERS_PER_SORT !== 0) return;
    const sorted = this.kept.slice(0, Math.min(this.seen, KEPT_ANSWERS)).sort();
    this.value = sorted[Math.ceil(sorted.length * 0.9) - 1]!;
  }
}
