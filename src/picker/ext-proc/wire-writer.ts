/**
 * Writes protobuf from the last byte to the first, so that the length of a nested message is known when its header is written.
 * One growing buffer serves all messages: what it holds is valid until the next `reset`.
 */
export class WireWriter {
  bytes = Buffer.allocUnsafeSlow(4096);
  /** First byte written. */
  at = this.bytes.length;

  reset(): void {
    this.at = this.bytes.length;
  }

  get length(): number {
    return this.bytes.length - this.at;
  }

  byte(value: number): void {
    this.room(1);
    this.bytes[--this.at] = value;
  }

  varint(value: number): void {
    this.room(10);
    if (value < 0x80) {
      this.bytes[--this.at] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++;
    this.at -= length;
    let rest = value;
    for (let i = 0; i < length - 1; i++) {
      this.bytes[this.at + i] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.at + length - 1] = rest;
  }

  /** Field number 1 to 15 with its wire type. */
  tag(field: number, wireType: number): void {
    this.byte((field << 3) | wireType);
  }

  raw(source: Buffer): void {
    this.room(source.length);
    this.at -= source.length;
    source.copy(this.bytes, this.at);
  }

  /** A string or bytes field. */
  text(field: number, value: string): void {
    const before = this.length;
    this.utf8(value);
    this.close(field, before);
  }

  double(field: number, value: number): void {
    this.room(8);
    this.at -= 8;
    this.bytes.writeDoubleLE(value, this.at);
    this.tag(field, 1);
  }

  /**
   * Puts tag and length before everything written since `length` was `before`. `outside` counts bytes that belong to the end of the
   * field and are sent from elsewhere.
   */
  close(field: number, before: number, outside = 0): void {
    this.varint(this.length - before + outside);
    this.tag(field, 2);
  }

  private utf8(value: string): void {
    const length = value.length;
    this.room(length);
    for (let i = length - 1; i >= 0; i--) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.at += length - 1 - i;
        this.raw(Buffer.from(value, 'utf8'));
        return;
      }
      this.bytes[--this.at] = code;
    }
  }

  private room(length: number): void {
    if (length <= this.at) return;
    const used = this.length;
    const larger = Buffer.allocUnsafeSlow((this.bytes.length + length) * 2);
    this.bytes.copy(larger, larger.length - used, this.at);
    this.bytes = larger;
    this.at = larger.length - used;
  }
}
