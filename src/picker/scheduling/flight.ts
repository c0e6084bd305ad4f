/** One request under way: what the scheduler needs again when its answer begins and ends. */
export class Flight {
  /** The answer has begun. */
  public started = false;
  /** There was a queue before its answer began: the time until then tells how long that was, and not how fast prompts are computed. */
  public queued = false;

  public constructor(
    /** Where it went. */
    public readonly slot: number,
    /** Generation of that slot: an endpoint that has left took its counts with it. */
    public readonly generation: number,
    public readonly model: string,
    public readonly pickedAtMs: number,
    /** Estimated length of the prompt. */
    public readonly promptTokens: number,
    /** The part of it that the endpoint probably has to compute. */
    public readonly uncachedTokens: number,
    /** Prefill tokens that were before it in line there. */
    public readonly tokensAhead: number,
    /** Expected length of the answer. */
    public readonly outputTokens: number,
  ) {}
}

/** How a flight ended. */
export interface FlightOutcome {
  /** HTTP status of the engine's answer; 0 when there was none. */
  readonly status: number;
  /** -1 where the engine did not say. */
  readonly outputTokens: number;
  /** Events with data that a stream has brought. @default not counted */
  readonly deltas?: number;
  /** Milliseconds from the decision to the first byte of the answer's body; -1 when there was none. */
  readonly firstByteMs: number;
  readonly cause: 'natural' | 'client-disconnect' | 'evicted' | 'early-close' | 'error';
}
