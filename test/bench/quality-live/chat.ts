export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** What engines serve beside adapters. */
export const BASE_MODEL = 'llama';
/** What clients allow an answer; none is so long, so that nobody learns its length from it. */
const MAX_TOKENS = 256;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Four bytes for each token, which a simulated engine takes for one: a space and three letters. */
export function textOf(tokens: Int32Array): string {
  let text = '';
  for (const token of tokens) {
    const letter = (divisor: number): string => LETTERS[Math.floor(token / divisor) % LETTERS.length]!;
    text += ` ${letter(1)}${letter(LETTERS.length)}${letter(LETTERS.length ** 2)}`;
  }
  return text;
}

/** The text of a streamed chat answer; undefined when the stream did not come to its end. */
export function answerOf(stream: string): string | undefined {
  if (!stream.endsWith('data: [DONE]\n\n')) return undefined;
  let text = '';
  for (const [, data] of stream.matchAll(/^data: (\{.*)$/gm)) {
    const { choices } = JSON.parse(data!) as { choices?: { delta?: { content?: string } }[] };
    text += choices?.[0]?.delta?.content ?? '';
  }
  return text;
}

/** A streamed chat completion. @param adapter @default the base model */
export function requestBody(messages: readonly Message[], adapter: string = BASE_MODEL): Buffer {
  return Buffer.from(JSON.stringify({ model: adapter, messages, max_tokens: MAX_TOKENS, stream: true }));
}
