/** Who counts the tokens of a budget, and refuses what is beyond it. */
export class LimitEnforcement {
  /** The picker: an estimate is set aside before the request, and settled by the engine's own count. */
  public static readonly PICKER = new LimitEnforcement('picker');
  /**
   * The gateway's own rate limit, which the picker tells what each answer used. It charges when an answer is over: what is under way then
   * passes, whatever it uses.
   */
  public static readonly GATEWAY = new LimitEnforcement('gateway');

  private constructor(
    /** `picker` or `gateway`. */
    public readonly name: 'picker' | 'gateway',
  ) {}
}
