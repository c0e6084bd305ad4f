import { mentionsUsage } from './answer-scanner';

/** An event that is longer than this cannot be the one that only tells the usage. */
const MAX_HELD_BYTES = 64 * 1024;
const MAX_KEPT_BYTES = 256 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Takes the event that only tells the usage (OpenAI, `stream_options.include_usage`: `choices` is empty) out of a stream whose client did
 * not ask for it. Everything else goes through byte by byte. An event that is cut by a chunk border is held back until it is whole, which
 * costs no time: a client cannot read half an event. Events end as in WHATWG HTML, 9.2.6.
 */
export class UsageStripper {
  /** What to send in place of the chunk, when `changed`. */
  output = Buffer.alloc(0);
  outputLength = 0;
  changed = false;
  private held = Buffer.alloc(0);
  private heldLength = 0;
  /** The event under way is let through as it comes. */
  private passing = false;
  private lineIsEmpty = true;
  private afterCr = false;
  private droppedLast = false;

  begin(): void {
    this.outputLength = 0;
    this.changed = false;
    this.heldLength = 0;
    this.passing = false;
    this.lineIsEmpty = true;
    this.afterCr = false;
    this.droppedLast = false;
  }

  trim(): void {
    if (this.output.length > MAX_KEPT_BYTES) this.output = Buffer.alloc(0);
    if (this.held.length > MAX_KEPT_BYTES) this.held = Buffer.alloc(0);
  }

  push(bytes: Buffer, start: number, end: number, last: boolean): void {
    this.outputLength = 0;
    this.changed = false;
    if (this.isWholeAndPlain(bytes, start, end)) return;
    this.changed = true;
    let from = start;
    for (let i = start; i < end; i++) {
      const c = bytes[i]!;
      if (this.afterCr) {
        this.afterCr = false;
        if (c === LF) {
          // the second half of a line end; behind a whole event it goes the way of that event
          if (from === i && this.heldLength === 0 && !this.passing) {
            if (!this.droppedLast) this.append(bytes, i, i + 1);
            from = i + 1;
          }
          continue;
        }
      }
      if (c !== LF && c !== CR) {
        this.lineIsEmpty = false;
        continue;
      }
      this.afterCr = c === CR;
      if (this.lineIsEmpty) {
        this.endEvent(bytes, from, i + 1);
        from = i + 1;
      }
      this.lineIsEmpty = true;
    }
    if (from < end) this.hold(bytes, from, end);
    if (last) this.release();
  }

  /** Whole events without usage: all that most chunks hold. */
  private isWholeAndPlain(bytes: Buffer, start: number, end: number): boolean {
    return (
      this.heldLength === 0 &&
      !this.passing &&
      this.lineIsEmpty &&
      !this.afterCr &&
      end - start >= 2 &&
      bytes[end - 1] === LF &&
      bytes[end - 2] === LF &&
      !mentionsUsage(bytes, start, end)
    );
  }

  private endEvent(bytes: Buffer, from: number, end: number): void {
    if (this.passing) {
      this.passing = false;
      this.droppedLast = false;
      this.append(bytes, from, end);
      return;
    }
    let event = bytes;
    let start = from;
    let stop = end;
    if (this.heldLength > 0) {
      this.addHeld(bytes, from, end);
      event = this.held;
      start = 0;
      stop = this.heldLength;
    }
    this.droppedLast = tellsOnlyUsage(event, start, stop);
    if (!this.droppedLast) this.append(event, start, stop);
    this.heldLength = 0;
  }

  private hold(bytes: Buffer, from: number, end: number): void {
    if (!this.passing && this.heldLength + end - from <= MAX_HELD_BYTES) {
      this.addHeld(bytes, from, end);
      return;
    }
    this.release();
    this.passing = true;
    this.append(bytes, from, end);
  }

  private release(): void {
    if (this.heldLength > 0) this.append(this.held, 0, this.heldLength);
    this.heldLength = 0;
  }

  private addHeld(bytes: Buffer, start: number, end: number): void {
    this.held = grown(this.held, this.heldLength, this.heldLength + end - start);
    this.heldLength += bytes.copy(this.held, this.heldLength, start, end);
  }

  private append(bytes: Buffer, start: number, end: number): void {
    this.output = grown(this.output, this.outputLength, this.outputLength + end - start);
    this.outputLength += bytes.copy(this.output, this.outputLength, start, end);
  }
}

function grown(buffer: Buffer<ArrayBuffer>, used: number, needed: number): Buffer<ArrayBuffer> {
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.max(needed * 2, 1024));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

/** Rarely asked: once or twice in an answer. */
function tellsOnlyUsage(bytes: Buffer, start: number, end: number): boolean {
  if (!mentionsUsage(bytes, start, end)) return false;
  const data = bytes
    .toString('utf8', start, end)
    .split(/\r\n|\r|\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length))
    .join('\n');
  try {
    const { choices, usage } = JSON.parse(data) as { choices?: unknown; usage?: unknown };
    return Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && usage !== null;
  } catch {
    return false;
  }
}
