/** Smallest and largest size class, as powers of two. */
const MIN_CLASS = 12;
const MAX_CLASS = 30;

/**
 * Buffers for bodies that arrive in several messages, in powers of two, kept for the next request. `liveBytes` is what requests hold
 * at the moment; `keptBytes` waits for use.
 */
export class BodyPool {
  liveBytes = 0;
  private keptBytes = 0;
  private readonly free: Buffer[][] = Array.from({ length: MAX_CLASS + 1 }, () => []);

  /** @param maxKeptBytes what may lie idle; more is left to the garbage collector */
  constructor(private readonly maxKeptBytes: number) {}

  /** At least `size` bytes, with whatever they held before. */
  take(size: number): Buffer {
    const sizeClass = classOf(size);
    const kept = this.free[sizeClass]!.pop();
    const length = 2 ** sizeClass;
    this.liveBytes += length;
    if (kept === undefined) return Buffer.allocUnsafeSlow(length);
    this.keptBytes -= length;
    return kept;
  }

  give(buffer: Buffer): void {
    this.liveBytes -= buffer.length;
    if (this.keptBytes + buffer.length > this.maxKeptBytes) return;
    this.keptBytes += buffer.length;
    this.free[classOf(buffer.length)]!.push(buffer);
  }
}

function classOf(size: number): number {
  const sizeClass = Math.max(MIN_CLASS, 32 - Math.clz32(Math.max(size, 1) - 1));
  if (sizeClass > MAX_CLASS) throw new RangeError(`a body of ${size} bytes does not fit any buffer`);
  return sizeClass;
}

/** One body being assembled. */
export class BodyBuffer {
  length = 0;
  private buffer: Buffer | undefined;

  constructor(private readonly pool: BodyPool) {}

  /** Makes room for a body of a known size, so that it is copied once. */
  expect(bytes: number): void {
    if (this.buffer === undefined) this.buffer = this.pool.take(bytes);
  }

  append(source: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (this.buffer === undefined) this.buffer = this.pool.take(needed);
    else if (needed > this.buffer.length) {
      const larger = this.pool.take(needed);
      this.buffer.copy(larger, 0, 0, this.length);
      this.pool.give(this.buffer);
      this.buffer = larger;
    }
    this.length += source.copy(this.buffer, this.length, start, end);
  }

  /** The bytes so far, valid until the next change. */
  view(): Buffer {
    return this.buffer === undefined ? EMPTY : this.buffer.subarray(0, this.length);
  }

  release(): void {
    if (this.buffer !== undefined) this.pool.give(this.buffer);
    this.buffer = undefined;
    this.length = 0;
  }
}

const EMPTY = Buffer.alloc(0);
