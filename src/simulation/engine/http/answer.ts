import { seededRandom } from '../core/random';
import { type Tokens, tokenId, tokenize } from '../core/tokenizer';

/** How answers are made. Both depend on the seed and the request alone, never on what else is running. */
export type AnswerMode =
  /** The last user message, or the prompt: token counts that a test can know beforehand. */
  | 'echo'
  /** Common words, of a length drawn around `meanOutputTokens`. */
  | 'generate';

export interface AnswerOptions {
  readonly mode: AnswerMode;
  readonly seed: number;
  readonly meanOutputTokens: number;
  /** Length of a generated answer, made of a number that is uniform in [0, 1). @default exponential with `meanOutputTokens` */
  readonly drawTokens?: (uniform: number) => number;
}

export interface Answer {
  readonly tokens: Tokens;
  readonly finishReason: 'stop' | 'length';
}

const words = 'the model answers with a few words about this and then some more of it so that every token has its place'
  .split(' ')
  .map((word) => ` ${word}`);

/**
 * The answer to a prompt, at most `limit` tokens. `exact` asks for the limit itself, as `ignore_eos` does.
 *
 * Lengths are exponential with the mean asked for: measured answer lengths are skewed likewise, and one parameter suffices.
 */
export function answerTo(prompt: string, echoed: string, limit: number, exact: boolean, options: AnswerOptions): Answer {
  const random = seededRandom(options.seed ^ tokenId(prompt));
  let pieces: string[];
  if (options.mode === 'echo') {
    const source = tokenize(echoed).pieces;
    pieces = source.length > 0 ? [...source] : ['.'];
    while (exact && pieces.length < limit) pieces.push(...source.slice(0, limit - pieces.length));
  } else {
    const { meanOutputTokens, drawTokens = (uniform) => Math.ceil(-Math.log(1 - uniform) * meanOutputTokens) } = options;
    const drawn = drawTokens(random());
    const length = exact ? limit : Math.max(1, Math.min(drawn, limit + 1));
    pieces = Array.from({ length }, () => words[Math.floor(random() * words.length)]!);
  }
  const cut = pieces.length > limit || exact;
  if (pieces.length > limit) pieces.length = limit;
  const ids = Int32Array.from(pieces, tokenId);
  return { tokens: { pieces, ids }, finishReason: cut ? 'length' : 'stop' };
}
