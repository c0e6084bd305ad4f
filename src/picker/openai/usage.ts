/**
 * Token counts of one answer, -1 where the engine did not say. The last value of a field wins: engines repeat running totals
 * (vLLM's `continuous_usage_stats`, Anthropic's `message_start` and `message_delta`).
 */
export class UsageCounts {
  /** As reported; Anthropic leaves cached tokens out of it. */
  prompt = -1;
  output = -1;
  /** OpenAI: `cached_tokens`, a part of the prompt. */
  cachedPart = -1;
  /** Anthropic: `cache_read_input_tokens` and `cache_creation_input_tokens`, beside `input_tokens`. */
  cacheRead = -1;
  cacheCreation = -1;

  reset(): void {
    this.prompt = -1;
    this.output = -1;
    this.cachedPart = -1;
    this.cacheRead = -1;
    this.cacheCreation = -1;
  }

  /** The whole prompt, cached tokens included. Anthropic, "Prompt caching": total = input + cache read + cache creation. */
  get inputTokens(): number {
    return this.prompt < 0 ? -1 : this.prompt + Math.max(0, this.cacheRead) + Math.max(0, this.cacheCreation);
  }

  get outputTokens(): number {
    return this.output;
  }

  get cachedTokens(): number {
    return this.cacheRead >= 0 ? this.cacheRead : this.cachedPart;
  }
}
