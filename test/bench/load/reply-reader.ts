/** Kinds of reply that the load client waits for, by the `ProcessingResponse` field that carries them. */
export const REQUEST_HEADERS = 1;
export const RESPONSE_HEADERS = 2;
export const REQUEST_BODY = 3;
export const RESPONSE_BODY = 4;
export const IMMEDIATE = 7;

/** Enough for the metadata that some write first, and the nested lengths in front of an echoed body. */
const HEAD_BYTES = 512;
const DYNAMIC_METADATA_TAG = 0x42;

/** `response`, `body_mutation`, `streamed_response`. */
const ENCLOSING_TAGS = [0x0a, 0x1a, 0x1a];
const BODY_TAG = 0x0a;

/**
 * Reads the gRPC messages of one stream as they come, without keeping them: which kind a message is, and how many body bytes it echoes. Both
 * are known from its first bytes.
 */
export class ReplyReader {
  private readonly head = Buffer.allocUnsafe(HEAD_BYTES);
  private headLength = 0;
  /** Length of the message with its five byte prefix, or -1 until that has arrived. */
  private messageBytes = -1;
  private seenBytes = 0;

  reset(): void {
    this.headLength = 0;
    this.messageBytes = -1;
    this.seenBytes = 0;
  }

  /** Calls `onReply(kind, echoedBytes)` for each message that ends within these bytes. */
  read(bytes: Buffer, start: number, end: number, onReply: (kind: number, echoedBytes: number) => void): void {
    let at = start;
    while (at < end) {
      if (this.headLength < HEAD_BYTES) {
        const limit = this.messageBytes < 0 ? 5 : Math.min(HEAD_BYTES, this.messageBytes);
        const take = Math.min(limit - this.headLength, end - at);
        bytes.copy(this.head, this.headLength, at, at + take);
        this.headLength += take;
        this.seenBytes += take;
        at += take;
        if (this.messageBytes < 0 && this.headLength === 5) this.messageBytes = 5 + this.head.readUInt32BE(1);
      }
      if (this.messageBytes < 0) continue;
      if (this.headLength >= Math.min(HEAD_BYTES, this.messageBytes)) {
        const skip = Math.min(this.messageBytes - this.seenBytes, end - at);
        this.seenBytes += skip;
        at += skip;
      }
      if (this.seenBytes < this.messageBytes) continue;
      let field = 5;
      if (this.head[field] === DYNAMIC_METADATA_TAG) field = this.afterField(field);
      const kind = this.head[field]! >> 3;
      const echoed = kind === REQUEST_BODY || kind === RESPONSE_BODY ? this.echoedBytes(field) : 0;
      this.reset();
      onReply(kind, echoed);
    }
  }

  /** `BodyResponse.response(1).body_mutation(3).streamed_response(3).body(1)`, with whatever fields before it on the way. */
  private echoedBytes(bodyResponse: number): number {
    let at = bodyResponse;
    for (const tag of ENCLOSING_TAGS) {
      at = this.find(tag, this.skipVarint(at + 1));
      if (at < 0) return 0;
    }
    at = this.find(BODY_TAG, this.skipVarint(at + 1));
    return at < 0 ? 0 : this.varintAt(at + 1);
  }

  private find(tag: number, from: number): number {
    let at = from;
    while (at < this.headLength && this.head[at] !== tag) at = this.afterField(at);
    return at < this.headLength ? at : -1;
  }

  /** Where the field behind this one begins: one of a number, or of a length and so many bytes. */
  private afterField(at: number): number {
    const content = this.skipVarint(at + 1);
    return (this.head[at]! & 7) === 0 ? content : content + this.varintAt(at + 1);
  }

  private skipVarint(at: number): number {
    let next = at;
    while (this.head[next]! >= 0x80) next++;
    return next + 1;
  }

  private varintAt(at: number): number {
    let value = 0;
    for (let index = at, factor = 1; ; index++, factor *= 128) {
      value += (this.head[index]! & 0x7f) * factor;
      if (this.head[index]! < 0x80) return value;
    }
  }
}
