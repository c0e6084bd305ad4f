/** What scheduling may know of a request. */
export interface SchedulingRequest {
  /** Model as the client named it. */
  readonly model: string;
  /** Model as the engine will see it: the base model or an adapter. */
  readonly targetModel: string;
  /** Undefined for a request without a body. */
  readonly body: Buffer | undefined;
  /** Range of the prompt in the body; empty or negative where there is none. */
  readonly promptStart: number;
  readonly promptEnd: number;
  /** Keeps the caches of tenants apart (vLLM's `cache_salt`). */
  readonly cacheSalt: string | undefined;
  /** Only these endpoints, `ip:port` or bare `ip`; undefined means all. */
  readonly subset: readonly string[] | undefined;
  /** The client's limit on the answer in tokens; -1 where it set none. */
  readonly maxTokens: number;
  /** First value of a request header, by its lower-case name; undefined when absent. */
  header(name: string): string | undefined;
}
