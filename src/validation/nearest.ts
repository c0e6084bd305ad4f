const MAX_COMPARED_CHARS = 64;

/** The candidate that was probably meant: the one with the fewest edits, if they are few for its length. */
export function nearest(given: string, candidates: readonly unknown[]): string | undefined {
  if (given.length > MAX_COMPARED_CHARS) return undefined;
  let best: string | undefined;
  let bestEdits = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const candidate of candidates) {
    if (typeof candidate !== 'string' || candidate.length > MAX_COMPARED_CHARS) continue;
    const edits = candidate.toLowerCase() === given.toLowerCase() ? 0 : distance(given, candidate);
    if (edits < bestEdits) [best, bestEdits] = [candidate, edits];
  }
  return best;
}

// Levenshtein distance, one row at a time.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
