/** The last `capacity` values that were pushed. */
export class RingBuffer<T> {
  private readonly values: T[] = [];
  /** Where the oldest value is, once the buffer is full. */
  private oldest = 0;

  public constructor(public readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`a ring buffer holds at least 1 value, not ${capacity}`);
  }

  public get length(): number {
    return this.values.length;
  }

  /** Returns the value that had to go, if any; a caller may fill and push it again. */
  public push(value: T): T | undefined {
    if (this.values.length < this.capacity) {
      this.values.push(value);
      return undefined;
    }
    const gone = this.values[this.oldest];
    this.values[this.oldest] = value;
    this.oldest = (this.oldest + 1) % this.capacity;
    return gone;
  }

  /** 0 is the oldest, `length - 1` the newest; undefined outside. */
  public at(index: number): T | undefined {
    if (index < 0 || index >= this.values.length) return undefined;
    return this.values[(this.oldest + index) % this.values.length];
  }

  public *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.values.length; i++) yield this.at(i)!;
  }
}
