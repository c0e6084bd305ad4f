import type { BufferBudget } from './buffer-budget';
import { giveBuffer, takeBuffer } from './buffer-pool';
import { MESSAGE_PREFIX_BYTES } from './message-parts';

/** Memory given to a message before its bytes have come; beyond that it grows with them, whatever length it claims. */
const FIRST_BYTES = 65_536;
const GROWTH = 4;

const NONE = Buffer.alloc(0);

/** Puts one message together that spans DATA frames; frames and messages have nothing to do with each other. */
export class MessageAssembler {
  private readonly prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  private prefixBytes = 0;
  /** The message so far. */
  buffer: Buffer = NONE;
  private filled = 0;

  constructor(private readonly budget: BufferBudget) {}

  /** A message, or its prefix, has begun and is not complete. */
  get active(): boolean {
    return this.prefixBytes > 0;
  }

  get prefixComplete(): boolean {
    return this.prefixBytes === MESSAGE_PREFIX_BYTES;
  }

  get compressedFlag(): number {
    return this.prefix[0]!;
  }

  /** Valid once the prefix is complete. */
  get messageBytes(): number {
    return this.prefix.readUInt32BE(1);
  }

  get complete(): boolean {
    return this.filled === this.messageBytes;
  }

  /** Takes what the prefix needs; returns the offset behind it. */
  addPrefix(source: Buffer, start: number, end: number): number {
    while (start < end && this.prefixBytes < MESSAGE_PREFIX_BYTES) this.prefix[this.prefixBytes++] = source[start++]!;
    return start;
  }

  /** Takes what the message needs; returns the offset behind it, or -1 when the budget has no room. */
  add(source: Buffer, start: number, end: number): number {
    const bytes = Math.min(end - start, this.messageBytes - this.filled);
    if (this.filled + bytes > this.buffer.length && !this.grow(this.filled + bytes)) return -1;
    this.filled += source.copy(this.buffer, this.filled, start, start + bytes);
    return start + bytes;
  }

  /** Ready for the next message; also when the stream is over. */
  reset(): void {
    this.prefixBytes = 0;
    this.filled = 0;
    if (this.buffer.length === 0) return;
    this.budget.give(this.buffer.length);
    giveBuffer(this.buffer);
    this.buffer = NONE;
  }

  private grow(neededBytes: number): boolean {
    const wanted = Math.min(this.messageBytes, Math.max(FIRST_BYTES, neededBytes * GROWTH));
    const larger = takeBuffer(wanted);
    if (!this.budget.take(larger.length)) {
      giveBuffer(larger);
      return false;
    }
    this.buffer.copy(larger, 0, 0, this.filled);
    if (this.buffer.length > 0) {
      this.budget.give(this.buffer.length);
      giveBuffer(this.buffer);
    }
    this.buffer = larger;
    return true;
  }
}
