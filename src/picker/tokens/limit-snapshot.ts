/** Use of one key of one limit, as a file keeps it. */
export interface UseRecord {
  /** `LimitRule.identity`. */
  readonly limit: string;
  readonly key: string;
  /** Counted from 1970, so that another process knows it too. */
  readonly window: number;
  readonly current: number;
  readonly previous: number;
}

const KIND = 'cdk8s-ai-gateway limits';
/** Raised whenever the numbers of a record mean something else. */
const VERSION = 1;
/** Lines that are made at a time: making them holds up requests. */
const LINES_PER_PIECE = 1_000;

/** The text of a snapshot, piece by piece: a head, one line a key, and a line that says how many there were. */
export function* snapshotText(records: Iterable<UseRecord>, savedAtMs: number): Generator<string> {
  let lines = [JSON.stringify({ kind: KIND, version: VERSION, savedAtMs })];
  let count = 0;
  for (const { limit, key, window, current, previous } of records) {
    lines.push(JSON.stringify([limit, key, window, current, previous]));
    count++;
    if (lines.length < LINES_PER_PIECE) continue;
    yield `${lines.join('\n')}\n`;
    lines = [];
  }
  lines.push(JSON.stringify({ records: count }));
  yield `${lines.join('\n')}\n`;
}

/** What a snapshot says, or why it cannot be used. One that was cut off anywhere is of no use as a whole: half the counters are a lie. */
export function parseSnapshot(text: string): { records: UseRecord[]; savedAtMs: number } | { fault: string } {
  const lines = text.split('\n');
  const head = parsed(lines[0] ?? '') as { kind?: unknown; version?: unknown; savedAtMs?: unknown } | undefined;
  if (head?.kind !== KIND) return { fault: 'it is not a snapshot of limits' };
  if (head.version !== VERSION)
    return { fault: `its format is version ${String(head.version)}, and this picker writes ${VERSION}` };
  const last = parsed(lines.at(-2) ?? '') as { records?: unknown } | undefined;
  if (lines.at(-1) !== '' || last?.records !== lines.length - 3 || typeof head.savedAtMs !== 'number') {
    return { fault: 'it is cut off' };
  }
  const records: UseRecord[] = [];
  for (let at = 1; at < lines.length - 2; at++) {
    const entry = parsed(lines[at]!);
    if (!isEntry(entry)) return { fault: `line ${at + 1} is damaged` };
    const [limit, key, window, current, previous] = entry;
    records.push({ limit, key, window, current, previous });
  }
  return { records, savedAtMs: head.savedAtMs };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is [string, string, number, number, number] {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [limit, key, ...numbers] = value as unknown[];
  return (
    typeof limit === 'string' &&
    typeof key === 'string' &&
    numbers.every((number) => Number.isFinite(number) && (number as number) >= 0)
  );
}
