import type { CST } from 'yaml';

/** Deeper than any schema; parsing and checks are recursive. */
export const MAX_DEPTH = 200;

/**
 * Whether collections stand in each other more than MAX_DEPTH deep. Asked before a document is composed, and without recursion: the
 * engine ends the process, and throws nothing, when the stack overflows while it compiles a regular expression.
 */
export function isTooDeep(document: CST.Token): boolean {
  const pending: { token: CST.Token | null | undefined; depth: number }[] = [{ token: document, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (token === null || token === undefined) continue;
    if (depth > MAX_DEPTH) return true;
    if (token.type === 'document') pending.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) pending.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 });
  }
  return false;
}
