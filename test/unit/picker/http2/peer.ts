import { BufferBudget } from '../../../../src/picker/http2/buffer-budget';
import { Connection, type ConnectionSocket } from '../../../../src/picker/http2/connection';
import { Http2Counters } from '../../../../src/picker/http2/counters';
import * as types from '../../../../src/picker/http2/frame-types';
import type { GrpcCall, GrpcMethod, GrpcStream } from '../../../../src/picker/http2/grpc';
import { HpackDecoder } from '../../../../src/picker/http2/hpack/decoder';
import { writeInteger } from '../../../../src/picker/http2/hpack/integer';
import { DEFAULT_LIMITS, type Http2Limits } from '../../../../src/picker/http2/limits';

export const ECHO = '/test.Echo/Echo';

/** One frame as bytes. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** Fields as literals without indexing and without Huffman code. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(value: string): Buffer {
  const head = Buffer.alloc(6);
  const bytes = writeInteger(head, 0, 0, 7, value.length);
  return Buffer.concat([head.subarray(0, bytes), Buffer.from(value, 'latin1')]);
}

export type Fields = readonly (readonly [string, string])[];
export const REQUEST: Fields = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', ECHO],
  [':authority', 'picker'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

export const settings = (...pairs: [number, number][]) => {
  const payload = Buffer.alloc(6 * pairs.length);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  });
  return frame(types.SETTINGS, 0, 0, payload);
};
export const headers = (id: number, fields: Fields = REQUEST, flags = types.FLAG_END_HEADERS) =>
  frame(types.HEADERS, flags, id, block(fields));
export const data = (id: number, payload: Buffer, endStream = false) =>
  frame(types.DATA, endStream ? types.FLAG_END_STREAM : 0, id, payload);
export const endStream = (id: number) => data(id, Buffer.alloc(0), true);
export const reset = (id: number, code = 8) => frame(types.RST_STREAM, 0, id, number(code));
export const windowUpdate = (id: number, increment: number) => frame(types.WINDOW_UPDATE, 0, id, number(increment));
export const ping = (flags = 0) => frame(types.PING, flags, 0, Buffer.from('pingpong'));

export function number(value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return payload;
}

/** A message behind its length prefix. */
export function message(body: Buffer | string, compressedFlag = 0): Buffer {
  const bytes = Buffer.from(body as string);
  const prefix = Buffer.alloc(5);
  prefix[0] = compressedFlag;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** A socket whose kernel buffer holds `capacityBytes`; `drain` takes what did not fit. */
export class FakeSocket implements ConnectionSocket {
  writableLength = 0;
  paused = false;
  ended = false;
  destroyed = false;
  writes = 0;
  readonly taken: Buffer[] = [];
  private readonly waiting: { bytes: Buffer; done: () => void }[] = [];

  constructor(public capacityBytes = Number.POSITIVE_INFINITY) {}

  write(bytes: Buffer, done: () => void): boolean {
    if (this.ended) throw new Error('written behind the end');
    this.writes++;
    if (this.writableLength === 0 && bytes.length <= this.capacityBytes) {
      this.capacityBytes -= bytes.length;
      this.taken.push(Buffer.from(bytes));
      return true;
    }
    this.waiting.push({ bytes, done });
    this.writableLength += bytes.length;
    return false;
  }

  /** The kernel takes the next `count` writes. */
  drain(count = this.waiting.length): void {
    for (const { bytes, done } of this.waiting.splice(0, count)) {
      this.writableLength -= bytes.length;
      this.taken.push(Buffer.from(bytes));
      done();
    }
  }

  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** The client's end of a connection under test, without a network. */
export class Peer {
  readonly socket: FakeSocket;
  readonly connection: Connection;
  readonly counters = new Http2Counters();
  /** All bytes held for the connection. */
  readonly budget: BufferBudget;
  readonly errors: unknown[] = [];
  private readonly decoder = new HpackDecoder();
  private seenBytes = 0;

  constructor(
    options: {
      methods?: GrpcMethod[];
      limits?: Partial<Http2Limits>;
      socket?: FakeSocket;
      settings?: [number, number][] | null;
    } = {},
  ) {
    this.socket = options.socket ?? new FakeSocket();
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.budget = new BufferBudget(limits.maxTotalBufferedBytes);
    this.connection = new Connection(this.socket, {
      limits,
      methods: new Map((options.methods ?? [echo()]).map((method) => [method.path, method])),
      counters: this.counters,
      budget: this.budget,
      onError: (error) => this.errors.push(error),
    });
    if (options.settings === null) return;
    this.send(types.CLIENT_PREFACE, settings(...(options.settings ?? [])));
    this.read();
  }

  send(...frames: Buffer[]): this {
    this.connection.receive(Buffer.concat(frames));
    return this;
  }

  /** All bytes that the server has sent. */
  output(): Buffer {
    return Buffer.concat(this.socket.taken);
  }

  /** The whole frames since the last call. */
  read(): Frame[] {
    const bytes = this.output();
    const frames = parseFrames(bytes.subarray(this.seenBytes));
    this.seenBytes = bytes.length;
    return frames;
  }

  /** The same in a form that reads well in an expectation. */
  readText(): string[] {
    return this.read().map((one) => this.describe(one));
  }

  describe({ type, flags, id, payload }: Frame): string {
    const end = flags & types.FLAG_END_STREAM ? ' END_STREAM' : '';
    switch (type) {
      case types.DATA:
        return `DATA ${id} ${payload.subarray(5).toString('latin1')}${end}`;
      case types.HEADERS: {
        const fields: string[] = [];
        this.decoder.decode(payload, 0, payload.length, { field: (name, value) => fields.push(`${name}=${value}`) });
        return `HEADERS ${id} ${fields.join(' ')}${end}`;
      }
      case types.RST_STREAM:
        return `RST_STREAM ${id} ${payload.readUInt32BE(0)}`;
      case types.GOAWAY:
        return `GOAWAY ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}`;
      case types.WINDOW_UPDATE:
        return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`;
      case types.SETTINGS:
        return flags & types.FLAG_ACK ? 'SETTINGS ACK' : 'SETTINGS';
      case types.PING:
        return `PING${flags & types.FLAG_ACK ? ' ACK' : ''} ${payload.toString('latin1')}`;
      default:
        return `type ${type}`;
    }
  }
}

export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) throw new Error('the output ends inside a frame');
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

/** Sends every message back and ends with OK when the client has ended. `log` collects what the service has seen. */
export function echo(log: string[] = [], maxMessageBytes = 16 << 20, path = ECHO): GrpcMethod {
  return method(
    (stream) => ({
      onMessage(buffer, start, end) {
        log.push(`message ${buffer.toString('latin1', start, end)}`);
        stream.send(buffer, start, end - start);
      },
      onHalfClose() {
        log.push('half-close');
        stream.end(0);
      },
      onClose(wasReset) {
        log.push(wasReset ? 'close by reset' : 'close');
      },
    }),
    maxMessageBytes,
    path,
  );
}

export function method(open: (stream: GrpcStream) => GrpcCall, maxMessageBytes = 16 << 20, path = ECHO): GrpcMethod {
  return { path, maxMessageBytes, open };
}
