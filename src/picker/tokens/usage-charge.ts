import type { Outcome } from '../ext-proc/director';

/** Tokens that a request is charged for. */
export interface ChargedTokens {
  readonly input: number;
  /** Part of the input. */
  readonly cached: number;
  readonly output: number;
  /** The engine said so itself, rather than an estimate. */
  readonly exact: boolean;
}

const NOTHING: ChargedTokens = { input: 0, cached: 0, output: 0, exact: true };

/**
 * What a finished request is charged for: the engine's own count where there is one. A stream that was cut off is charged for what went
 * over the wire, one token an event, because the engine computed it and nobody says how much more it did. An answer of 400 or above, or
 * none because the engine failed, costs nothing; a client that leaves before the first byte still made the engine read its prompt.
 */
export function chargedTokens(outcome: Outcome, estimatedInput: number, bytesPerToken: number): ChargedTokens {
  const { status, inputTokens, outputTokens, cachedTokens, cause } = outcome;
  const isFailure = status >= 400 || (status === 0 && cause !== 'client-disconnect');
  if (isFailure && outputTokens < 0) return NOTHING;
  const input = inputTokens >= 0 ? inputTokens : estimatedInput;
  const cached = Math.min(input, Math.max(0, cachedTokens));
  const isWhole = cause === 'natural' && outputTokens >= 0;
  if (isWhole) return { input, cached, output: outputTokens, exact: inputTokens >= 0 };
  const deltas = outcome.deltas ?? -1;
  // an event that names the role goes ahead of those with text
  if (deltas >= 0) return { input, cached, output: Math.max(outputTokens, deltas - 1, 0), exact: false };
  if (outputTokens >= 0) return { input, cached, output: outputTokens, exact: false };
  // a whole answer without `usage` is of an API that has none (embeddings say their input, others nothing)
  const output = inputTokens >= 0 ? 0 : Math.ceil(outcome.responseBytes / bytesPerToken);
  return { input, cached, output, exact: inputTokens >= 0 };
}
