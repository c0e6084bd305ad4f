import { connect as connectHttp2, constants, type OutgoingHttpHeaders } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { ConnectionError } from '../../src/picker/http2/error-codes';
import { FrameReader } from '../../src/picker/http2/frame-reader';
import * as t from '../../src/picker/http2/frame-types';
import { HpackDecoder } from '../../src/picker/http2/hpack/decoder';
import { decodeHuffman, maxDecodedBytes } from '../../src/picker/http2/hpack/huffman';
import { writeInteger } from '../../src/picker/http2/hpack/integer';
import { frame, settings } from '../unit/picker/http2/peer';
import { fuzzRuns } from './corpus';

/** Takes connections and decodes every header block with the decoder under test. */
async function decodingServer(): Promise<{ port: number; lists: [string, string][][]; close(): Promise<void> }> {
  const lists: [string, string][][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const decoder = new HpackDecoder();
    let block: Buffer[] = [];
    const reader = new FrameReader({
      frame(type, flags, id, buffer, start, end) {
        if (type === t.SETTINGS && (flags & t.FLAG_ACK) === 0) socket.write(frame(t.SETTINGS, t.FLAG_ACK, 0));
        if (type !== t.HEADERS && type !== t.CONTINUATION) return;
        const priorityBytes = type === t.HEADERS && flags & t.FLAG_PRIORITY ? 5 : 0;
        block.push(Buffer.from(buffer.subarray(start + priorityBytes, end)));
        if ((flags & t.FLAG_END_HEADERS) === 0) return;
        const whole = Buffer.concat(block);
        block = [];
        const list: [string, string][] = [];
        decoder.decode(whole, 0, whole.length, { field: (name, value) => list.push([name, value]) });
        lists.push(list);
        socket.write(frame(t.HEADERS, t.FLAG_END_HEADERS | t.FLAG_END_STREAM, id, Buffer.from([0x88])));
      },
    });
    let prefaceLeft = t.CLIENT_PREFACE.length;
    socket.write(settings([3, 1000]));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(prefaceLeft, chunk.length);
      prefaceLeft -= skipped;
      reader.read(chunk, skipped);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    lists,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const name = fc
  .oneof(fc.constantFrom('accept', 'cookie', 'x-request-id', 'traceparent'), fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/))
  .filter(
    (text) =>
      ![
        'connection',
        'host',
        'upgrade',
        'te',
        'trailer',
        'http2-settings',
        'keep-alive',
        'proxy-connection',
        'transfer-encoding',
      ].includes(text),
  );
const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 40 });
const value = fc.oneof(
  visible,
  fc.constantFrom('', 'a', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
  visible.map((text) => text.repeat(30)),
);
const headerLists = fc.array(fc.uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([key]) => key }), {
  minLength: 1,
  maxLength: 12,
});

describe('the HPACK decoder', () => {
  it("reads what node:http2's encoder writes, over many blocks of one connection", async () => {
    const server = await decodingServer();
    try {
      await fc.assert(
        fc.asyncProperty(headerLists, async (requests) => {
          const session = connectHttp2(`http://127.0.0.1:${server.port}`);
          session.on('error', () => {});
          server.lists.length = 0;
          for (const fields of requests) {
            const outgoing: OutgoingHttpHeaders = { ':method': 'POST', ':path': '/x', ...Object.fromEntries(fields) };
            await new Promise<void>((resolve, reject) => {
              const stream = session.request(outgoing, { endStream: true });
              stream.on('error', reject);
              stream.on('close', resolve);
              stream.resume();
            });
          }
          session.close();
          const expected = requests.map((fields) => Object.fromEntries(fields));
          const received = server.lists.map((list) => Object.fromEntries(list.filter(([field]) => !field.startsWith(':'))));
          expect(received).toEqual(expected);
          expect(
            server.lists[0]!.filter(([field]) => field.startsWith(':'))
              .map(([field]) => field)
              .sort(),
          ).toEqual(
            [
              constants.HTTP2_HEADER_AUTHORITY,
              constants.HTTP2_HEADER_METHOD,
              constants.HTTP2_HEADER_PATH,
              constants.HTTP2_HEADER_SCHEME,
            ].sort(),
          );
        }),
        { numRuns: fuzzRuns(30) },
      );
    } finally {
      await server.close();
    }
  });

  it('refuses or reads any bytes, and never grows its table above the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (blocks) => {
        const decoder = new HpackDecoder();
        for (const bytes of blocks) {
          try {
            decoder.decode(Buffer.from(bytes), 0, bytes.length, { field() {} });
          } catch (error) {
            expect(error).toBeInstanceOf(ConnectionError);
          }
          expect(decoder.table.bytes).toBeLessThanOrEqual(4096);
          let bytesCounted = 0;
          for (let i = 0; i < decoder.table.length; i++)
            bytesCounted += decoder.table.name(i).length + decoder.table.value(i).length + 32;
          expect(bytesCounted).toBe(decoder.table.bytes);
        }
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  it('never writes more Huffman-decoded bytes than it has room for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const target = Buffer.alloc(maxDecodedBytes(bytes.length));
        expect(decodeHuffman(Buffer.from(bytes), 0, bytes.length, target)).toBeLessThanOrEqual(target.length);
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  it('reads every integer that can be written', () => {
    const integers = fc.tuple(fc.oneof(fc.nat(300), fc.nat(0x0fff_ffff)), fc.integer({ min: 4, max: 7 }));
    fc.assert(
      fc.property(integers, ([integer, prefixBits]) => {
        // As the length of a string, or the size of a table, the value would be refused; as an index it must be named in full.
        const target = Buffer.alloc(8);
        const bytes = writeInteger(target, 0, 0, prefixBits, integer);
        expect(target.readUInt8(0) < 2 ** prefixBits).toBe(true);
        expect(readBack(target.subarray(0, bytes), prefixBits)).toBe(integer);
      }),
      { numRuns: fuzzRuns(500) },
    );
  });
});

/** RFC 7541 section 5.1, as its pseudocode has it. */
function readBack(bytes: Buffer, prefixBits: number): number {
  let integer = bytes[0]! & (2 ** prefixBits - 1);
  if (integer < 2 ** prefixBits - 1) return integer;
  bytes.subarray(1).forEach((byte, i) => {
    integer += (byte & 127) * 2 ** (7 * i);
  });
  return integer;
}
