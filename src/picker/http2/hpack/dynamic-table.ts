/** What an entry costs beyond its name and value (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;

/**
 * Dynamic table of a decoder (RFC 7541 section 2.3.2): a ring, newest entry first, so that neither inserting nor evicting moves
 * anything. Names and values are one character a byte.
 */
export class DynamicTable {
  /** Changes with every insertion and eviction: two reads of a block with equal versions in between resolve to the same fields. */
  version = 0;
  private readonly names: string[];
  private readonly values: string[];
  private readonly mask: number;
  /** Ring position of the newest entry. */
  private newest = 0;
  private count = 0;
  private sizeBytes = 0;
  private maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    let slots = 1;
    while (slots < Math.ceil((maxBytes + 1) / ENTRY_OVERHEAD_BYTES) + 1) slots *= 2;
    this.names = new Array<string>(slots).fill('');
    this.values = new Array<string>(slots).fill('');
    this.mask = slots - 1;
  }

  get length(): number {
    return this.count;
  }

  /** Size as RFC 7541 section 4.1 counts it. */
  get bytes(): number {
    return this.sizeBytes;
  }

  /** `position` counts from 0, the newest entry. The caller has checked it against `length`. */
  name(position: number): string {
    return this.names[(this.newest - position) & this.mask]!;
  }

  value(position: number): string {
    return this.values[(this.newest - position) & this.mask]!;
  }

  /** An entry larger than the table empties it and is not kept, which is no error (RFC 7541 section 4.4). */
  insert(name: string, value: string): void {
    this.version++;
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.evictTo(this.maxBytes - bytes);
    if (bytes > this.maxBytes) return;
    this.newest = (this.newest + 1) & this.mask;
    this.names[this.newest] = name;
    this.values[this.newest] = value;
    this.count++;
    this.sizeBytes += bytes;
  }

  /** Dynamic table size update (RFC 7541 section 6.3); never above the size the table was made with. */
  resize(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.evictTo(maxBytes);
  }

  private evictTo(bytes: number): void {
    while (this.count > 0 && this.sizeBytes > bytes) {
      const oldest = (this.newest - this.count + 1) & this.mask;
      this.sizeBytes -= this.names[oldest]!.length + this.values[oldest]!.length + ENTRY_OVERHEAD_BYTES;
      this.names[oldest] = '';
      this.values[oldest] = '';
      this.count--;
      this.version++;
    }
  }
}
