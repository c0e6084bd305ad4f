import { type SeriesCursor, startsSeries } from './series-cursor';

const NEWLINE = 0x0a;
/** How far before its last place a family is looked for: counters before it may have lost a digit, after a restart for example. */
const SLACK_BYTES = 64;

/**
 * Finds a metric family on successive pages of one endpoint. Pages of an engine differ in a few digits, so the search begins where the
 * family was the last time, and reads the whole page only when it is not there: about 2 µs instead of 30 for a page of 78 KB.
 */
export class FamilyFinder {
  public readonly name: string;
  private readonly bytes: Buffer;
  private lastAt = -1;

  public constructor(name: string) {
    this.name = name;
    this.bytes = Buffer.from(name);
  }

  /** Puts the cursor before the family's first series; false when the page has none. */
  public find(page: Buffer, cursor: SeriesCursor): boolean {
    let at = this.lastAt > SLACK_BYTES ? this.search(page, this.lastAt - SLACK_BYTES) : -1;
    if (at === -1) at = this.search(page, 0);
    this.lastAt = at === -1 ? -1 : this.firstOfGroup(page, at);
    if (at === -1) return false;
    cursor.begin(page, this.lastAt);
    return true;
  }

  private search(page: Buffer, from: number): number {
    for (let at = page.indexOf(this.bytes, from); at !== -1; at = page.indexOf(this.bytes, at + 1)) {
      // not in a comment, not in a label, and not the beginning of a longer name
      if ((at === 0 || page[at - 1] === NEWLINE) && startsSeries(page, at, this.bytes)) return at;
    }
    return -1;
  }

  /** The search may have begun in the middle of the family. */
  private firstOfGroup(page: Buffer, found: number): number {
    let first = found;
    while (first > 0) {
      const before = first < 2 ? 0 : page.lastIndexOf(NEWLINE, first - 2) + 1;
      if (!startsSeries(page, before, this.bytes)) break;
      first = before;
    }
    return first;
  }
}
