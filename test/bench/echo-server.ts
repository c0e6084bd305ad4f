import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/**
 * The floor for an ext_proc server on `node:http2`: it answers each message with the shortest fitting reply, echoing bodies, and decides
 * nothing. What the picker is compared with where the reference is not at hand.
 */
const HEADERS_REPLY = Buffer.from([0, 0, 0, 0, 4, 0x0a, 0x02, 0x0a, 0x00]);

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) | 0x80);
  }
}

function wrap(tag: number, inner: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...varint(inner.length)]), inner]);
}

/** `BodyResponse.response.body_mutation.streamed_response` around the received `HttpBody`, whose two fields are the same. */
function bodyReply(tag: number, httpBody: Buffer): Buffer {
  const message = wrap(tag, wrap(0x0a, wrap(0x1a, wrap(0x1a, httpBody))));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function skipVarint(bytes: Buffer, at: number): number {
  let next = at;
  while (bytes[next]! >= 0x80) next++;
  return next + 1;
}

function serve(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.on('error', () => stream.destroy());
  stream.on('end', () => stream.end());
  let waiting: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    const replies: Buffer[] = [];
    while (waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt32BE(1)) {
      const message = waiting.subarray(5, 5 + waiting.readUInt32BE(1));
      waiting = waiting.subarray(5 + message.length);
      const field = message[0]! >> 3;
      if (field === 2) replies.push(HEADERS_REPLY);
      else if (field === 3) replies.push(Buffer.from([0, 0, 0, 0, 4, 0x12, 0x02, 0x0a, 0x00]));
      else if (field === 4) replies.push(bodyReply(0x1a, message.subarray(skipVarint(message, 1))));
      else if (field === 5) replies.push(bodyReply(0x22, message.subarray(skipVarint(message, 1))));
    }
    if (replies.length > 0) stream.write(Buffer.concat(replies));
  });
}

const server = createServer({ settings: { initialWindowSize: 1 << 20, maxConcurrentStreams: 10_000 } });
server.on('stream', serve);
server.on('session', (session) => session.setLocalWindowSize(1 << 24));
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});
