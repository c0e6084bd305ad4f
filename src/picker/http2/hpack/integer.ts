/**
 * Integer with a prefix (RFC 7541 section 5.1). The largest value any field of a header block may have here is the size of a header
 * block, so four continuation bytes are more than enough and longer ones are refused.
 */
const MAX_CONTINUATION_BYTES = 4;

/** Reads integers and keeps the position: the decoder moves through a block with one cursor and no allocation. */
export class Cursor {
  buffer: Buffer = Buffer.alloc(0);
  position = 0;
  end = 0;

  /**
   * Reads an integer whose first byte, at `position`, carries `prefixBits` of it.
   *
   * @returns the value, or -1 when the block ends inside it or it is longer than allowed
   */
  integer(prefixBits: number): number {
    if (this.position >= this.end) return -1;
    const prefixMax = (1 << prefixBits) - 1;
    const prefix = this.buffer[this.position++]! & prefixMax;
    if (prefix < prefixMax) return prefix;
    let value = prefixMax;
    for (let i = 0; i < MAX_CONTINUATION_BYTES && this.position < this.end; i++) {
      const byte = this.buffer[this.position++]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

/** Appends an integer to `target` at `offset`; `pattern` holds the bits above the prefix. Returns the offset behind it. */
export function writeInteger(target: Buffer, offset: number, pattern: number, prefixBits: number, value: number): number {
  const prefixMax = (1 << prefixBits) - 1;
  if (value < prefixMax) {
    target[offset] = pattern | value;
    return offset + 1;
  }
  target[offset++] = pattern | prefixMax;
  let rest = value - prefixMax;
  while (rest >= 0x80) {
    target[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}
