import { stringValue } from './json-text';

/** Every character of a name as `\uXXXX` is six bytes for at least one of UTF-8. */
const LONGEST_ESCAPE = 6;
const QUOTES = 2;
const MAX_KEPT_BYTES = 256 * 1024;

/**
 * Replaces the engine's model name in an answer by the name that the client asked for. Bytes that may be the beginning of that name
 * are held back until its end has arrived, so a name that is cut by a chunk border is found too; never more than one name is held.
 */
export class ModelMask {
  active = false;
  /** What to send in place of the chunk, when `changed`. */
  output = Buffer.alloc(0);
  outputLength = 0;
  changed = false;
  private hidden = '';
  private hiddenBytes = Buffer.alloc(0);
  private shown = Buffer.alloc(0);
  private held = Buffer.alloc(0);
  private heldLength = 0;
  private capturing = false;
  /** Start of the value in this chunk; the chunk's start when the value began earlier. */
  private valueStart = 0;
  /** Bytes of the chunk before this offset are in `output` or held. */
  private copied = 0;

  /** Shows `shown` wherever the answer says `hidden`. */
  configure(hidden: string, shown: string): void {
    this.active = true;
    this.hidden = hidden;
    this.hiddenBytes = Buffer.from(hidden);
    this.shown = Buffer.from(JSON.stringify(shown));
    this.held = Buffer.allocUnsafe(this.hiddenBytes.length * LONGEST_ESCAPE + QUOTES);
    this.heldLength = 0;
    this.capturing = false;
  }

  disable(): void {
    this.active = false;
    this.changed = false;
    this.outputLength = 0;
    this.capturing = false;
    this.heldLength = 0;
  }

  trim(): void {
    if (this.output.length > MAX_KEPT_BYTES) this.output = Buffer.alloc(0);
  }

  chunkStart(start: number): void {
    this.outputLength = 0;
    this.changed = false;
    this.copied = start;
    this.valueStart = start;
  }

  /** A value starts with the quote at `at`. */
  begin(at: number): void {
    this.capturing = true;
    this.valueStart = at;
    this.heldLength = 0;
  }

  /** False when the value, read up to `next`, is longer than the name can be written; it is then let go. */
  holds(next: number): boolean {
    if (this.heldLength + next - this.valueStart < this.held.length) return true;
    this.release();
    return false;
  }

  /** The value ends before `next`. */
  end(bytes: Buffer, next: number): void {
    if (!this.isHidden(bytes, next)) {
      this.release();
      return;
    }
    this.append(bytes, this.copied, this.valueStart);
    this.append(this.shown, 0, this.shown.length);
    this.capturing = false;
    this.heldLength = 0;
    this.copied = next;
  }

  /** What was held is sent as it came. */
  release(): void {
    if (!this.capturing) return;
    this.capturing = false;
    if (this.heldLength > 0) this.append(this.held, 0, this.heldLength);
    this.heldLength = 0;
  }

  chunkEnd(bytes: Buffer, end: number): void {
    if (this.capturing) {
      this.append(bytes, this.copied, this.valueStart);
      this.heldLength += bytes.copy(this.held, this.heldLength, this.valueStart, end);
    } else if (this.changed) this.append(bytes, this.copied, end);
  }

  private isHidden(bytes: Buffer, next: number): boolean {
    let value = bytes;
    let start = this.valueStart;
    let end = next;
    if (this.heldLength > 0) {
      value = this.held;
      start = 0;
      end = this.heldLength + bytes.copy(this.held, this.heldLength, this.valueStart, next);
    }
    if (end - start - QUOTES === this.hiddenBytes.length) {
      if (this.hiddenBytes.compare(value, start + 1, end - 1) === 0) return true;
    }
    return value.subarray(start, end).includes('\\') && decoded(value, start, end) === this.hidden;
  }

  private append(bytes: Buffer, start: number, end: number): void {
    this.changed = true;
    const needed = this.outputLength + end - start;
    if (needed > this.output.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed * 2, 1024));
      this.output.copy(larger, 0, 0, this.outputLength);
      this.output = larger;
    }
    this.outputLength += bytes.copy(this.output, this.outputLength, start, end);
  }
}

/** An answer need not be valid JSON: an impossible escape is no name. */
function decoded(bytes: Buffer, start: number, end: number): string | undefined {
  try {
    return stringValue(bytes, start, end);
  } catch {
    return undefined;
  }
}
