const CONTEXT_LINES = 3;

/** The change of a file as `diff -u` writes it; empty when there is none. */
export function unifiedDiff(file: string, before: string, after: string): string {
  const old = before.split('\n');
  const next = after.split('\n');
  const steps = compare(old, next);
  const changed = steps.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]));
  if (changed.length === 0) return '';
  const lines = [`--- ${file}`, `+++ ${file}`];
  for (let index = 0; index < changed.length; ) {
    let last = index;
    while (last + 1 < changed.length && changed[last + 1]! - changed[last]! <= 2 * CONTEXT_LINES) last++;
    const from = Math.max(0, changed[index]! - CONTEXT_LINES);
    const hunk = steps.slice(from, changed[last]! + CONTEXT_LINES + 1);
    const counted = (sign: string): number => hunk.filter((step) => step.sign === ' ' || step.sign === sign).length;
    const before_ = steps.slice(0, from);
    const start = (sign: string): number => before_.filter((step) => step.sign === ' ' || step.sign === sign).length + 1;
    lines.push(`@@ -${start('-')},${counted('-')} +${start('+')},${counted('+')} @@`);
    lines.push(...hunk.map(({ sign, text }) => `${sign}${text}`));
    index = last + 1;
  }
  return `${lines.join('\n')}\n`;
}

interface Step {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

// Mends change few lines: the next common line is near, so that a search forward from each difference is enough.
function compare(old: readonly string[], next: readonly string[]): Step[] {
  const steps: Step[] = [];
  let a = 0;
  let b = 0;
  while (a < old.length || b < next.length) {
    if (a < old.length && b < next.length && old[a] === next[b]) {
      steps.push({ sign: ' ', text: old[a]! });
      a++;
      b++;
      continue;
    }
    const [skipOld, skipNew] = meeting(old, next, a, b);
    for (const text of old.slice(a, a + skipOld)) steps.push({ sign: '-', text });
    for (const text of next.slice(b, b + skipNew)) steps.push({ sign: '+', text });
    a += skipOld;
    b += skipNew;
  }
  return steps;
}

/** The fewest lines to leave out of each until both go on alike, for two lines at least. */
function meeting(old: readonly string[], next: readonly string[], a: number, b: number): [number, number] {
  const most = old.length - a + (next.length - b);
  for (let sum = 1; sum <= most; sum++) {
    for (let skip = Math.min(sum, old.length - a); skip >= 0; skip--) {
      const skipNew = sum - skip;
      if (b + skipNew > next.length) break;
      const isEnd = a + skip === old.length && b + skipNew === next.length;
      if (isEnd || (old[a + skip] === next[b + skipNew] && old[a + skip + 1] === next[b + skipNew + 1])) return [skip, skipNew];
    }
  }
  return [old.length - a, next.length - b];
}
