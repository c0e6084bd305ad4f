/** What one pass over the bytes of a request body found. Offsets are into the body; -1 where a field is absent. */
export interface ScannedBody {
  /** Why the body cannot be used, for the client; undefined when it is good. */
  readonly error: string | undefined;
  /** Value of the top-level `model` (decoded), undefined when absent, empty or no string. */
  readonly model: string | undefined;
  /** Range of the model's JSON value, quotes included, for a rewrite in place. */
  readonly modelStart: number;
  readonly modelEnd: number;
  /** Top-level `stream`. */
  readonly stream: boolean;
  /** `max_completion_tokens`, `max_output_tokens` or `max_tokens`; -1 when absent. */
  readonly maxTokens: number;
  /** Answers to make: the larger of `n` and `best_of`. @default 1 */
  readonly choices?: number;
  /** Start and end of the values of `max_completion_tokens`, `max_output_tokens` and `max_tokens` in turn. @default absent */
  readonly bounds?: ArrayLike<number>;
  /** Range of the value of `prompt`, `messages` or `input`. */
  readonly promptStart: number;
  readonly promptEnd: number;
  /** `cache_salt`, undefined when absent. */
  readonly cacheSalt: string | undefined;
  /** `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  /** Range of the value of `stream_options`. @default absent */
  readonly streamOptionsStart?: number;
  readonly streamOptionsEnd?: number;
}
