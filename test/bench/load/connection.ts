import { connect, type Socket } from 'node:net';
import {
  ACK,
  callHeaders,
  DATA,
  dataFrames,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  MAX_WINDOW,
  PING,
  preface,
  RST_STREAM,
  resetStream,
  SETTINGS,
  WINDOW_UPDATE,
  windowUpdate,
} from './frames';
import { ReplyReader } from './reply-reader';

/** What the owner of a stream is told. */
export interface StreamOwner {
  reply(stream: ClientStream, kind: number, echoedBytes: number): void;
  /** The server has ended the stream: with trailers, or (`failed`) with a reset or a lost connection. */
  ended(stream: ClientStream, failed: boolean): void;
}

/** One gRPC call. */
export interface ClientStream {
  id: number;
  readonly owner: StreamOwner;
  readonly replies: ReplyReader;
  /** What flow control still holds back: DATA frames with this stream's id. */
  held: Buffer | undefined;
  window: number;
  readonly onReply: (kind: number, echoedBytes: number) => void;
}

const OUTPUT_BYTES = 1 << 18;
const headersTemplate = callHeaders();

/**
 * One HTTP/2 connection to a picker, as Envoy would open it. Frames are made beforehand and only get their stream's number here, and replies
 * are counted, not kept: the client must cost less than the server it measures.
 */
export class LoadConnection {
  private readonly socket: Socket;
  private readonly streams = new Map<number, ClientStream>();
  private nextId = 1;
  private output = Buffer.allocUnsafe(OUTPUT_BYTES);
  private outputStart = 0;
  private outputEnd = 0;
  private flushing = false;
  private leftover: Buffer | undefined;
  private receivedBytes = 0;
  private window = 65_535;
  private initialWindow = 65_535;
  private readonly held = new Set<ClientStream>();
  /** Resolves when the server's settings have arrived. */
  readonly ready: Promise<void>;
  private settled!: { resolve: () => void; reject: (error: Error) => void };
  closed = false;

  constructor(port: number) {
    this.ready = new Promise((resolve, reject) => {
      this.settled = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    const buffer = Buffer.allocUnsafe(1 << 18);
    // One buffer for all reads: an allocation per read costs more than what is done with it.
    const callback = (bytes: number) => {
      this.receive(buffer.subarray(0, bytes));
      return true;
    };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('the server closed the connection')));
    this.socket.write(preface());
  }

  open(owner: StreamOwner): ClientStream {
    const replies = new ReplyReader();
    const stream: ClientStream = {
      id: this.nextId,
      owner,
      replies,
      held: undefined,
      window: this.initialWindow,
      onReply: (kind, echoed) => owner.reply(stream, kind, echoed),
    };
    this.begin(stream);
    return stream;
  }

  /** Uses an ended stream's object for the next call. */
  reopen(stream: ClientStream): void {
    stream.replies.reset();
    stream.held = undefined;
    this.begin(stream);
  }

  private begin(stream: ClientStream): void {
    stream.id = this.nextId;
    stream.window = this.initialWindow;
    this.nextId += 2;
    this.streams.set(stream.id, stream);
    const at = this.write(headersTemplate);
    this.output.writeUInt32BE(stream.id, at + 5);
  }

  /** Sends DATA frames made by `dataFrames`, as far as the server's windows allow; the rest follows when they open. */
  send(stream: ClientStream, frames: Buffer): void {
    if (stream.held === undefined && frames.length <= this.window && frames.length <= stream.window) {
      // `frames.length` counts the frame headers too: it errs on the side of holding back.
      const dataBytes = this.patch(this.write(frames), frames.length, stream.id);
      this.window -= dataBytes;
      stream.window -= dataBytes;
      return;
    }
    stream.held = stream.held === undefined ? frames : Buffer.concat([stream.held, frames]);
    this.held.add(stream);
    this.sendHeld(stream);
  }

  endStream(stream: ClientStream): void {
    this.write(frame(DATA, END_STREAM, stream.id, Buffer.alloc(0)));
  }

  /** As Envoy ends a call unless told to do it gracefully: END_STREAM, then RST_STREAM. */
  cancel(stream: ClientStream): void {
    this.endStream(stream);
    this.write(resetStream(stream.id));
    this.streams.delete(stream.id);
    this.held.delete(stream);
  }

  destroy(): void {
    this.closed = true;
    this.socket.destroy();
  }

  private sendHeld(stream: ClientStream): void {
    let rest = stream.held!;
    while (rest.length > 0) {
      const bytes = rest.readUIntBE(0, 3);
      if (bytes > this.window || bytes > stream.window) break;
      const at = this.write(rest.subarray(0, 9 + bytes));
      this.output.writeUInt32BE(stream.id, at + 5);
      this.window -= bytes;
      stream.window -= bytes;
      rest = rest.subarray(9 + bytes);
    }
    stream.held = rest.length > 0 ? rest : undefined;
    if (rest.length === 0) this.held.delete(stream);
  }

  /** Gives the frames in the output their stream; returns what counts for flow control. */
  private patch(at: number, length: number, streamId: number): number {
    let dataBytes = 0;
    for (let position = at; position < at + length; ) {
      const bytes = this.output.readUIntBE(position, 3);
      this.output.writeUInt32BE(streamId, position + 5);
      dataBytes += bytes;
      position += 9 + bytes;
    }
    return dataBytes;
  }

  /** Appends to the output, which leaves in one write at the end of this turn; returns where. */
  private write(bytes: Buffer): number {
    if (this.outputEnd + bytes.length > this.output.length) {
      this.flush();
      this.output = Buffer.allocUnsafe(Math.max(OUTPUT_BYTES, bytes.length));
      this.outputStart = 0;
      this.outputEnd = 0;
    }
    const at = this.outputEnd;
    bytes.copy(this.output, at);
    this.outputEnd += bytes.length;
    if (!this.flushing) {
      this.flushing = true;
      queueMicrotask(() => {
        this.flushing = false;
        this.flush();
      });
    }
    return at;
  }

  private flush(): void {
    if (this.outputEnd === this.outputStart || this.closed) return;
    this.socket.write(this.output.subarray(this.outputStart, this.outputEnd));
    this.outputStart = this.outputEnd;
  }

  private receive(chunk: Buffer): void {
    const bytes = this.leftover === undefined ? chunk : Buffer.concat([this.leftover, chunk]);
    let at = 0;
    while (bytes.length - at >= 9) {
      const end = at + 9 + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.frame(bytes, at, end);
      at = end;
    }
    // The read buffer is used again: what is left over has to be copied out of it.
    this.leftover = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }

  private frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3]!;
    const flags = bytes[at + 4]!;
    const streamId = bytes.readUInt32BE(at + 5);
    if (type === DATA) {
      this.receivedBytes += end - at - 9;
      if (this.receivedBytes > MAX_WINDOW / 4) {
        this.write(windowUpdate(this.receivedBytes));
        this.receivedBytes = 0;
      }
    }
    if (streamId === 0) {
      this.connectionFrame(type, flags, bytes.subarray(at + 9, end));
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    if (type === DATA) stream.replies.read(bytes, at + 9, end, stream.onReply);
    else if (type === WINDOW_UPDATE) {
      stream.window += bytes.readUInt32BE(at + 9);
      if (stream.held !== undefined) this.sendHeld(stream);
    }
    const ends = (type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0;
    if (!ends && type !== RST_STREAM) return;
    this.streams.delete(streamId);
    this.held.delete(stream);
    stream.owner.ended(stream, type === RST_STREAM);
  }

  private connectionFrame(type: number, flags: number, payload: Buffer): void {
    if (type === WINDOW_UPDATE) {
      this.window += payload.readUInt32BE();
      for (const stream of this.held) this.sendHeld(stream);
    } else if (type === PING && (flags & ACK) === 0) {
      this.write(frame(PING, ACK, 0, payload));
    } else if (type === SETTINGS && (flags & ACK) === 0) {
      for (let at = 0; at + 6 <= payload.length; at += 6) {
        if (payload.readUInt16BE(at) === 4) this.applyInitialWindow(payload.readUInt32BE(at + 2));
      }
      this.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
      this.settled.resolve();
    } else if (type === GOAWAY) {
      this.fail(new Error(`the server said goodbye with code ${payload.readUInt32BE(4)}`));
    }
  }

  /** RFC 9113, 6.9.2: a changed initial window changes the windows of open streams by the difference. */
  private applyInitialWindow(bytes: number): void {
    for (const stream of this.streams.values()) stream.window += bytes - this.initialWindow;
    this.initialWindow = bytes;
  }

  private fail(error: Error): void {
    this.settled.reject(error);
    if (this.closed) return;
    this.destroy();
    const open = [...this.streams.values()];
    this.streams.clear();
    for (const stream of open) stream.owner.ended(stream, true);
  }
}

/** A request's messages as DATA frames, ready to be sent on any stream. */
export function prepared(...messages: Buffer[]): Buffer {
  return Buffer.concat(messages.map(dataFrames));
}
