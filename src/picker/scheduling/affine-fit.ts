/**
 * `y ≈ intercept + slope · x`, fitted to a stream of points by least squares, of which older ones count less and less. Starts from a prior
 * that stands for a few points, so that it always has an answer. Both numbers stay at 0 or above: times do not fall with work.
 */
export class AffineFit {
  private weight: number;
  private sumX: number;
  private sumY: number;
  private sumXx: number;
  private sumXy: number;

  /**
   * @param memory weight of a point when the next one comes, 0 to 1
   * @param prior two points that lie on the line to start with
   */
  public constructor(
    private readonly memory: number,
    prior: { readonly intercept: number; readonly slope: number; readonly atX: number },
  ) {
    const { intercept, slope, atX } = prior;
    this.weight = 2;
    this.sumX = atX;
    this.sumY = 2 * intercept + slope * atX;
    this.sumXx = atX * atX;
    this.sumXy = atX * (intercept + slope * atX);
  }

  public add(x: number, y: number): void {
    const { memory } = this;
    this.weight = memory * this.weight + 1;
    this.sumX = memory * this.sumX + x;
    this.sumY = memory * this.sumY + y;
    this.sumXx = memory * this.sumXx + x * x;
    this.sumXy = memory * this.sumXy + x * y;
  }

  public get slope(): number {
    const spread = this.weight * this.sumXx - this.sumX * this.sumX;
    // points that all lie at one x say nothing of the slope
    if (spread <= 1e-9 * this.weight * this.sumXx) return 0;
    const slope = (this.weight * this.sumXy - this.sumX * this.sumY) / spread;
    const throughOrigin = this.sumXx > 0 ? this.sumXy / this.sumXx : 0;
    return slope < 0 ? 0 : slope > throughOrigin ? Math.max(0, throughOrigin) : slope;
  }

  public at(x: number): number {
    const slope = this.slope;
    const intercept = (this.sumY - slope * this.sumX) / this.weight;
    return (intercept > 0 ? intercept : 0) + slope * x;
  }
}
