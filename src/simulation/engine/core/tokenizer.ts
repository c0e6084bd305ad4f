/** Tokens of a text: the pieces put together are the text, and equal pieces have equal ids. */
export interface Tokens {
  readonly pieces: readonly string[];
  readonly ids: Int32Array;
}

/**
 * A stand-in for a real vocabulary with about its granularity (four characters of English a token): a word of up to eight letters with the
 * space before it, up to three digits, a run of white space, or any other single character.
 */
const piece = / ?[A-Za-z]{1,8}|\d{1,3}|\s+|[^\sA-Za-z\d]/gu;

export function tokenize(text: string): Tokens {
  const pieces = text.match(piece) ?? [];
  const ids = new Int32Array(pieces.length);
  for (let i = 0; i < pieces.length; i++) ids[i] = tokenId(pieces[i]!);
  return { pieces, ids };
}

/** FNV-1a over UTF-16 units. */
export function tokenId(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
