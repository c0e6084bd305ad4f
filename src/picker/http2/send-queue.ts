import type { BufferBudget } from './buffer-budget';
import type { ByteSource } from './message-parts';

/** Small messages share a chunk, so that what the queue holds is about what it costs. */
const SMALLEST_CHUNK_BYTES = 4096;

/** What a stream has to send and may not yet, because a window is closed or the socket is full (RFC 9113 section 5.2). */
export class SendQueue implements ByteSource {
  /** Bytes waiting. */
  bytes = 0;
  private readonly chunks: Buffer[] = [];
  private headOffset = 0;
  private tailUsed = 0;

  constructor(private readonly budget: BufferBudget) {}

  /** Takes the next `bytes` of `source`. Returns false, and takes none, when the budget has no room for them. */
  add(source: ByteSource, bytes: number): boolean {
    const tail = this.chunks[this.chunks.length - 1];
    if (tail !== undefined && tail.length - this.tailUsed >= bytes) {
      source.take(tail, this.tailUsed, bytes);
      this.tailUsed += bytes;
    } else {
      const chunkBytes = Math.max(bytes, SMALLEST_CHUNK_BYTES);
      if (!this.budget.take(chunkBytes)) return false;
      this.sealTail();
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      source.take(chunk, 0, bytes);
      this.chunks.push(chunk);
      this.tailUsed = bytes;
    }
    this.bytes += bytes;
    return true;
  }

  take(target: Buffer, offset: number, bytes: number): void {
    this.bytes -= bytes;
    while (bytes > 0) {
      const chunk = this.chunks[0]!;
      const end = this.chunks.length === 1 ? this.tailUsed : chunk.length;
      const copied = chunk.copy(target, offset, this.headOffset, Math.min(end, this.headOffset + bytes));
      offset += copied;
      bytes -= copied;
      this.headOffset += copied;
      if (this.headOffset === end) this.dropHead(chunk);
    }
  }

  clear(): void {
    for (const chunk of this.chunks) this.budget.give(chunk.buffer.byteLength);
    this.chunks.length = 0;
    this.bytes = 0;
    this.headOffset = 0;
    this.tailUsed = 0;
  }

  /** A chunk that is no longer the tail ends where it was filled to. */
  private sealTail(): void {
    const last = this.chunks.length - 1;
    if (last >= 0) this.chunks[last] = this.chunks[last]!.subarray(0, this.tailUsed);
  }

  private dropHead(chunk: Buffer): void {
    this.budget.give(chunk.buffer.byteLength);
    this.chunks.shift();
    this.headOffset = 0;
    if (this.chunks.length === 0) this.tailUsed = 0;
  }
}
