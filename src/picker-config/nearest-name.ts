/** Shorter beginnings are common to unrelated names. */
const MIN_PREFIX = 4;

/**
 * The known name that a user most probably meant, or undefined when none is near. At most a third of the longer name may differ
 * (and at least one edit is always allowed), so that unrelated names are not offered.
 */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  const wanted = squeezed(given);
  for (const name of known) {
    const candidate = squeezed(name);
    // the beginning of a name is near to it, however long the rest
    if (wanted.length >= MIN_PREFIX && candidate.startsWith(wanted) && bestDistance > 1) {
      best = name;
      bestDistance = 1;
    }
    const allowed = Math.max(1, Math.floor(Math.max(candidate.length, wanted.length) / 3));
    if (Math.abs(candidate.length - wanted.length) > allowed) continue;
    const distance = editDistance(wanted, candidate);
    // one letter is not "near" another
    const shared = Math.max(candidate.length, wanted.length) - distance;
    if (shared > 0 && distance <= allowed && distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean 'x'? `, or nothing: the start of a Problem's `fix`. */
export function didYouMean(given: string, known: Iterable<string>): string {
  const name = nearestName(given, known);
  return name === undefined ? '' : `did you mean '${name}'? `;
}

// maxBytes, max-bytes and max_bytes are the same name to a person; a long one is cut because its distance only has to be "far"
function squeezed(name: string): string {
  return name
    .slice(0, 64)
    .replace(/[-_. ]/g, '')
    .toLowerCase();
}

/** Levenshtein distance, two rows of the matrix at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
