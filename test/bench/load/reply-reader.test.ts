import fc from 'fast-check';
import { IMMEDIATE, REQUEST_BODY, REQUEST_HEADERS, RESPONSE_BODY, ReplyReader } from './reply-reader';

function varint(value: number): Buffer {
  return value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) | 0x80]), varint(Math.floor(value / 128))]);
}

function nested(field: number, ...parts: Buffer[]): Buffer {
  const inner = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(inner.length), inner]);
}

function grpc(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const endOfStream = Buffer.from([0x10, 1]);
const body = (bytes: number) => nested(1, Buffer.alloc(bytes, 'x'));
const streamed = (field: number, ...parts: Buffer[]) => nested(field, nested(1, nested(3, nested(3, ...parts))));
const metadata = nested(8, Buffer.alloc(150, 'm'));

/** Ways in which servers write the same replies: fields of a protobuf message may come in any order. */
const replies: { bytes: Buffer; kind: number; echoed: number }[] = [
  { bytes: grpc(nested(REQUEST_HEADERS, nested(1, Buffer.alloc(700, 'h')))), kind: REQUEST_HEADERS, echoed: 0 },
  { bytes: grpc(Buffer.concat([metadata, nested(REQUEST_HEADERS)])), kind: REQUEST_HEADERS, echoed: 0 },
  { bytes: grpc(streamed(REQUEST_BODY, body(1024), endOfStream)), kind: REQUEST_BODY, echoed: 1024 },
  { bytes: grpc(streamed(REQUEST_BODY, endOfStream, body(62_000))), kind: REQUEST_BODY, echoed: 62_000 },
  { bytes: grpc(streamed(RESPONSE_BODY, body(1))), kind: RESPONSE_BODY, echoed: 1 },
  { bytes: grpc(streamed(RESPONSE_BODY, endOfStream)), kind: RESPONSE_BODY, echoed: 0 },
  {
    bytes: grpc(
      nested(REQUEST_BODY, nested(1, Buffer.from([0x08, 0]), nested(2, Buffer.from('abc')), nested(3, nested(3, body(300))))),
    ),
    kind: REQUEST_BODY,
    echoed: 300,
  },
  { bytes: grpc(nested(IMMEDIATE, nested(1, Buffer.from([0x08, 100])))), kind: IMMEDIATE, echoed: 0 },
];

describe('ReplyReader', () => {
  it('tells kind and echoed bytes of every reply, wherever reads cut the stream', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...replies), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
        (wanted, cuts) => {
          const stream = Buffer.concat(wanted.map(({ bytes }) => bytes));
          const seen: object[] = [];
          const reader = new ReplyReader();
          for (let at = 0, i = 0; at < stream.length; i++) {
            const end = Math.min(stream.length, at + cuts[i % cuts.length]!);
            reader.read(stream, at, end, (kind, echoed) => seen.push({ kind, echoed }));
            at = end;
          }
          expect(seen).toEqual(wanted.map(({ kind, echoed }) => ({ kind, echoed })));
        },
      ),
      { numRuns: 200 },
    );
  });
});
