const NEWLINE = 0x0a;
const RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const OPEN = 0x7b;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;

/** The largest whole number of digits that a sum of them represents exactly. */
const MAX_EXACT_DIGITS = 15;

/**
 * Reads one family's series on a page of the Prometheus text format (version 0.0.4) in place: lines `name{label="value",…} value
 * [timestamp]`. All lines of a family stand together, as the format demands.
 */
export class SeriesCursor {
  /** Of the current series; NaN where the line is not well formed. */
  public value = Number.NaN;

  private page: Buffer = Buffer.alloc(0);
  private nextLine = 0;
  private labelsStart = 0;
  private labelsEnd = 0;

  public constructor(private readonly name: Buffer) {}

  /** Begins before the line at `start`. */
  public begin(page: Buffer, start: number): void {
    this.page = page;
    this.nextLine = start;
  }

  /** Moves to the next series of the family; false when there is none. */
  public next(): boolean {
    const line = this.nextLine;
    if (!startsSeries(this.page, line, this.name)) return false;
    const newline = this.page.indexOf(NEWLINE, line);
    const end = newline === -1 ? this.page.length : newline;
    this.nextLine = end + 1;
    const afterName = line + this.name.length;
    this.labelsStart = afterName;
    this.labelsEnd = afterName;
    let valueStart = afterName;
    if (this.page[afterName] === OPEN) {
      this.labelsStart = afterName + 1;
      const close = endOfLabels(this.page, this.labelsStart, end);
      if (close === -1) {
        this.value = Number.NaN;
        return true;
      }
      this.labelsEnd = close;
      valueStart = close + 1;
    }
    this.value = parseValue(this.page, valueStart, end);
    return true;
  }

  /** Value of a label of the current series, unescaped; undefined when it has none of that name. */
  public label(name: string): string | undefined {
    const page = this.page;
    const labelsEnd = this.labelsEnd;
    let at = this.labelsStart;
    while (at < labelsEnd) {
      const equals = page.indexOf(EQUALS, at);
      if (equals === -1 || equals >= labelsEnd || page[equals + 1] !== QUOTE) return undefined;
      const close = closingQuote(page, equals + 2, labelsEnd);
      if (close === -1) return undefined;
      if (page.toString('latin1', at, equals).trim() === name) return unescaped(page.toString('utf8', equals + 2, close));
      at = close + 1;
      while (at < labelsEnd && (page[at] === COMMA || page[at] === SPACE)) at++;
    }
    return undefined;
  }

  public hasLabels(labels: Readonly<Record<string, string>> | undefined): boolean {
    if (labels === undefined) return true;
    for (const name in labels) if (this.label(name) !== labels[name]) return false;
    return true;
  }
}

/** True where a line at `at` begins with exactly this metric name. */
export function startsSeries(page: Buffer, at: number, name: Buffer): boolean {
  const after = at + name.length;
  if (after >= page.length) return false;
  const next = page[after];
  if (next !== OPEN && next !== SPACE && next !== TAB) return false;
  for (let i = 0; i < name.length; i++) if (page[at + i] !== name[i]) return false;
  return true;
}

/** Position of the closing brace; values may hold braces, so quotes are followed. -1 when the line ends before it. */
function endOfLabels(page: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = page[at];
    if (byte === CLOSE) return at;
    if (byte !== QUOTE) continue;
    at = closingQuote(page, at + 1, end);
    if (at === -1) return -1;
  }
  return -1;
}

function closingQuote(page: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (page[at] === BACKSLASH) at++;
    else if (page[at] === QUOTE) return at;
  }
  return -1;
}

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, after: string) => (after === 'n' ? '\n' : after)) : text;
}

/** A number after blanks, up to a blank or the end; NaN when it is none. A timestamp may follow. */
function parseValue(page: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (page[at] === SPACE || page[at] === TAB)) at++;
  const first = at;
  let whole = 0;
  // nearly all values are whole numbers, or whole ones with '.0'
  for (; at < end; at++) {
    const digit = page[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    whole = whole * 10 + digit;
  }
  let stop = at;
  while (stop < end && page[stop] !== SPACE && page[stop] !== TAB && page[stop] !== RETURN) stop++;
  if (stop === at && at > first && at - first <= MAX_EXACT_DIGITS) return whole;
  const text = page.toString('latin1', first, stop);
  // Number() takes more than the format allows: '', '0x1', '1_0'
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
