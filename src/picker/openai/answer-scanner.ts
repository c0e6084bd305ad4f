import { AnswerJson } from './answer-json';
import type { UsageCounts } from './usage';

enum Line {
  /** At the first byte of a line. */
  Start,
  /** In the field name `data:`. */
  Field,
  Data,
  /** A line without data. */
  Other,
}

const DATA = Buffer.from('data:');
const LF = 0x0a;
const CR = 0x0d;

/**
 * Follows one answer, JSON or server-sent events (WHATWG HTML, 9.2.6), chunk by chunk: counts tokens and hides the engine's model name.
 * The result does not depend on how the answer was cut into chunks.
 */
export class AnswerScanner {
  private readonly json = new AnswerJson();
  private events = false;
  private line = Line.Start;
  private matched = 0;
  private afterCr = false;
  /** Events with data so far. */
  deltas = 0;

  begin(format: 'json' | 'events', mask?: { readonly hidden: string; readonly shown: string }): void {
    this.json.nextDocument();
    this.json.usage.reset();
    if (mask === undefined) this.json.mask.disable();
    else this.json.mask.configure(mask.hidden, mask.shown);
    this.events = format === 'events';
    this.line = Line.Start;
    this.matched = 0;
    this.afterCr = false;
    this.deltas = 0;
  }

  get usage(): UsageCounts {
    return this.json.usage;
  }

  /** The last chunk must be replaced by `outputLength` bytes of `output`. */
  get changed(): boolean {
    return this.json.mask.changed;
  }

  get output(): Buffer {
    return this.json.mask.output;
  }

  get outputLength(): number {
    return this.json.mask.outputLength;
  }

  /** Gives back what an unusually large chunk needed. */
  trim(): void {
    this.json.mask.trim();
  }

  push(bytes: Buffer, start: number, end: number, last: boolean): void {
    const mask = this.json.mask;
    if (!mask.active) {
      if (this.events && this.isWholeAndPlain(bytes, start, end)) {
        this.deltas += blankLines(bytes, start, end);
        return;
      }
      this.read(bytes, start, end);
      return;
    }
    mask.chunkStart(start);
    this.read(bytes, start, end);
    if (last) mask.release();
    mask.chunkEnd(bytes, end);
  }

  /** The answer ended without a last chunk (trailers): what was held back becomes the output. */
  finish(): void {
    const mask = this.json.mask;
    if (!mask.active) return;
    mask.chunkStart(0);
    mask.release();
  }

  private read(bytes: Buffer, start: number, end: number): void {
    if (this.events) this.readEvents(bytes, start, end);
    else this.json.read(bytes, start, end, false);
  }

  /** Whole events without usage: all that most chunks of an answer hold. They leave no trace, so they need not be read. */
  private isWholeAndPlain(bytes: Buffer, start: number, end: number): boolean {
    return (
      this.line === Line.Start &&
      this.json.atStart &&
      end - start >= 2 &&
      bytes[end - 1] === LF &&
      bytes[end - 2] === LF &&
      !mentionsUsage(bytes, start, end)
    );
  }

  private readEvents(bytes: Buffer, start: number, end: number): void {
    let i = start;
    while (i < end) {
      const c = bytes[i]!;
      const isEnd = c === LF || c === CR;
      if (isEnd && c === LF && this.afterCr) {
        this.afterCr = false;
        i++;
        continue;
      }
      this.afterCr = false;
      if (isEnd) {
        this.endLine();
        this.afterCr = c === CR;
        i++;
        continue;
      }
      switch (this.line) {
        case Line.Start:
          this.matched = 0;
          this.line = Line.Field;
          continue;
        case Line.Field:
          if (c !== DATA[this.matched]) this.line = Line.Other;
          else {
            i++;
            if (++this.matched === DATA.length) {
              this.line = Line.Data;
              this.deltas++;
              if (this.json.over) this.json.nextDocument();
            }
          }
          continue;
        case Line.Data:
          i = this.json.read(bytes, i, end, true);
          continue;
        default:
          i++;
      }
    }
  }

  private endLine(): void {
    if (this.line === Line.Start) this.json.nextDocument();
    else if (this.line === Line.Data) this.json.lineEnd();
    this.line = Line.Start;
  }
}

/** Pairs of line ends. Looks at every second byte: one of each pair is there. */
function blankLines(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let i = start + 1; i < end; i += 2) {
    if (bytes[i] === LF && (bytes[i - 1] === LF || (i + 1 < end && bytes[i + 1] === LF))) count++;
  }
  return count;
}

const USAGE = Buffer.from('"usage"');
// Horspool: how far the window may move by its last byte
const SHIFTS = new Uint8Array(256).fill(USAGE.length);
for (let i = 0; i < USAGE.length - 1; i++) SHIFTS[USAGE[i]!] = USAGE.length - 1 - i;

/** Sub-linear search (Horspool 1980), without the cost of a call out of JavaScript for a few hundred bytes. */
export function mentionsUsage(bytes: Buffer, start: number, end: number): boolean {
  let last = start + USAGE.length - 1;
  while (last < end) {
    const c = bytes[last]!;
    if (c === 0x22 && bytes[last - 1] === 0x65 && bytes[last - 6] === 0x22) {
      let i = 1;
      while (i < USAGE.length - 1 && bytes[last - USAGE.length + 1 + i] === USAGE[i]) i++;
      if (i === USAGE.length - 1) return true;
    }
    last += SHIFTS[c]!;
  }
  return false;
}
