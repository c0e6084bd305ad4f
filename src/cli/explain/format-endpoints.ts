import type { EndpointExplanation } from '../../picker/explain/explanation';

const WORDS: Readonly<Record<string, string>> = {
  'not-ready': 'is not ready',
  'outside-subset': 'is not among those that the proxy allows',
  ejected: 'failed too often in a row, and rests',
};
/** More lines say less. */
const SHOWN = 20;

/** Filters, scores and the choice among the endpoints of a pool, best first. @param chance what settles ties */
export function endpointLines(endpoints: readonly EndpointExplanation[], chance: string): string[] {
  const removed = endpoints.filter(({ verdict }) => verdict !== 'kept');
  const kept = endpoints.filter(({ verdict }) => verdict === 'kept');
  const lines = shortened(
    removed,
    ({ name, endpoint, verdict }) => `${name} (${endpoint}) ${WORDS[verdict] ?? `is removed by the filter ${verdict}`}`,
  );
  if (kept.length === 0) return lines;
  const scorers = Object.entries(kept[0]!.weights);
  const header = ['endpoint', ...scorers.map(([name, weight]) => `${name.replace(/-scorer$/, '')} ×${weight}`), 'total'];
  const facts = ['waiting', 'running', 'KV', 'in flight', 'cached', 'trust'];
  const rows = kept
    .slice(0, SHOWN)
    .map((entry) => [
      entry.name,
      ...scorers.map(([name]) => entry.scores[name]!.toFixed(3)),
      entry.total.toFixed(3),
      String(entry.inputs.waiting),
      String(entry.inputs.running),
      `${Math.round(entry.inputs.kvUsageRatio * 100)}%`,
      String(entry.inputs.inFlight),
      String(entry.inputs.cachedTokens),
      entry.trustRatio.toFixed(2),
    ]);
  lines.push(...table([[...header, ...facts], ...rows]));
  if (kept.length > SHOWN) lines.push(`… and ${kept.length - SHOWN} more`);
  const tied = kept.filter((entry) => entry.tied === true);
  if (tied.length > 0) lines.push(`${tied.map(({ name }) => name).join(', ')} have the same total: ${chance} decides`);
  return lines;
}

/** Names of the chosen endpoints, best first. */
export function chosenLine(endpoints: readonly EndpointExplanation[]): string {
  const chosen = endpoints.filter((entry) => entry.chosen !== undefined).sort((a, b) => a.chosen! - b.chosen!);
  return chosen.map(({ name, endpoint }) => `${name} (${endpoint})`).join(', then ');
}

function shortened<T>(entries: readonly T[], line: (entry: T) => string): string[] {
  const lines = entries.slice(0, SHOWN).map(line);
  return entries.length > SHOWN ? [...lines, `… and ${entries.length - SHOWN} more`] : lines;
}

/** The first column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
}
