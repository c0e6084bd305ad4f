/** Bytes that are no protobuf message. The call ends with INVALID_ARGUMENT. */
export class WireError extends Error {}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;
const MAX_GROUP_DEPTH = 32;

/**
 * Reads protobuf fields (protobuf.dev, "Encoding") between two offsets of a buffer, without making objects. Every length is checked
 * against the end of the message that holds it. A field with an unexpected wire type is an unknown field, as in other decoders.
 */
export class WireReader {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;

  over(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    return this;
  }

  /** The next tag (`field << 3 | wire type`); 0 at the end of the message. */
  tag(): number {
    if (this.at >= this.end) return 0;
    const tag = this.varint();
    if (tag < 8 || tag > 0xffff_ffff) throw new WireError(`impossible field tag ${tag}`);
    return tag;
  }

  /** An unsigned varint; exact up to 2^53, which no length or enum reaches. */
  varint(): number {
    if (this.at < this.end) {
      const only = this.bytes[this.at]!;
      if (only < 0x80) {
        this.at++;
        return only;
      }
    }
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.end) throw new WireError('a number is cut off');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new WireError('a number has more than ten bytes');
  }

  /** Reads a length and returns the end of the bytes that follow; they start at `at`. */
  delimited(): number {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.end) throw new WireError(`a field of ${length} bytes is cut off`);
    return end;
  }

  skip(tag: number): void {
    this.skipType(tag, 0);
  }

  private skipType(tag: number, depth: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.advance(8);
        return;
      case DELIMITED:
        this.at = this.delimited();
        return;
      case FIXED32:
        this.advance(4);
        return;
      case GROUP_START:
        this.skipGroup(tag, depth + 1);
        return;
      default:
        throw new WireError(`impossible wire type ${tag & 7}`);
    }
  }

  private skipGroup(start: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) throw new WireError('groups are nested too deeply');
    for (;;) {
      const tag = this.tag();
      if (tag === 0) throw new WireError('a group is cut off');
      if ((tag & 7) === GROUP_END) {
        if (tag >>> 3 !== start >>> 3) throw new WireError('a group ends with the wrong field');
        return;
      }
      this.skipType(tag, depth);
    }
  }

  private advance(length: number): void {
    if (this.at + length > this.end) throw new WireError('a fixed-size field is cut off');
    this.at += length;
  }
}
