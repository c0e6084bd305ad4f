/** Length-prefix of a message: one byte for the compressed flag, four for the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export const MESSAGE_PREFIX_BYTES = 5;

const NONE = Buffer.alloc(0);

/** Something that bytes are taken from, front to back. */
export interface ByteSource {
  /** Copies the next `bytes` to `target` at `offset`, and forgets them. The caller takes no more than there are. */
  take(target: Buffer, offset: number, bytes: number): void;
}

/** One outgoing message in up to three slices, read as if they were joined behind their length prefix. One object serves all messages. */
export class MessageParts implements ByteSource {
  /** Length with the prefix. */
  totalBytes = 0;
  private readonly prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  private readonly buffers: Buffer[] = [this.prefix, NONE, NONE, NONE];
  private readonly starts = [0, 0, 0, 0];
  private readonly ends = [MESSAGE_PREFIX_BYTES, 0, 0, 0];

  set(
    head: Buffer,
    headBytes: number,
    body: Buffer,
    bodyStart: number,
    bodyBytes: number,
    tail: Buffer,
    tailBytes: number,
  ): MessageParts {
    const bytes = headBytes + bodyBytes + tailBytes;
    this.totalBytes = MESSAGE_PREFIX_BYTES + bytes;
    this.prefix.writeUInt32BE(bytes, 1);
    this.starts[0] = 0;
    this.slice(1, head, 0, headBytes);
    this.slice(2, body, bodyStart, bodyBytes);
    this.slice(3, tail, 0, tailBytes);
    return this;
  }

  take(target: Buffer, offset: number, bytes: number): void {
    for (let part = 0; bytes > 0 && part < 4; part++) {
      const start = this.starts[part]!;
      const available = this.ends[part]! - start;
      if (available === 0) continue;
      const taken = available < bytes ? available : bytes;
      copyBytes(this.buffers[part]!, start, target, offset, taken);
      this.starts[part] = start + taken;
      offset += taken;
      bytes -= taken;
    }
  }

  private slice(part: number, buffer: Buffer, start: number, bytes: number): void {
    this.buffers[part] = buffer;
    this.starts[part] = start;
    this.ends[part] = start + bytes;
  }
}

/** Below this many bytes a loop is cheaper than the call into the engine. */
const LOOP_BYTES = 48;

function copyBytes(source: Buffer, start: number, target: Buffer, offset: number, bytes: number): void {
  if (bytes > LOOP_BYTES) {
    source.copy(target, offset, start, start + bytes);
    return;
  }
  for (let i = 0; i < bytes; i++) target[offset + i] = source[start + i]!;
}
