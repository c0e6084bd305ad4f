/** Bytes of a prompt that stand for one token, as in llm-d's estimate mode of its `token-producer`. */
export const BYTES_PER_TOKEN = 4;

/** Estimated length of the prompt. */
export function promptTokens({ promptStart, promptEnd }: { readonly promptStart: number; readonly promptEnd: number }): number {
  return promptEnd > promptStart && promptStart >= 0 ? (promptEnd - promptStart) / BYTES_PER_TOKEN : 0;
}
