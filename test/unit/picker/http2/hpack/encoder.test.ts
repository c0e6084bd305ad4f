import { HpackDecoder } from '../../../../../src/picker/http2/hpack/decoder';
import { percentEncode, ReplyEncoder } from '../../../../../src/picker/http2/hpack/encoder';

type Write = (encoder: ReplyEncoder, target: Buffer, offset: number) => number;
const response: Write = (encoder, target, offset) => encoder.response(target, offset);
const ok: Write = (encoder, target, offset) => encoder.trailers(target, offset, 0, '');
const failed: Write = (encoder, target, offset) => encoder.trailers(target, offset, 13, 'a b%c\n');
const only: Write = (encoder, target, offset) => encoder.trailersOnly(target, offset, 0, '');

const RESPONSE = ':status=200 content-type=application/grpc';

/** Writes blocks and reads them with a decoder whose table is `tableBytes`, as a peer with that setting has it. */
function dialogue(
  encoder: ReplyEncoder,
  writes: readonly Write[],
  decoder = new HpackDecoder(),
): { fields: string[]; bytes: number[] } {
  const target = Buffer.alloc(8192);
  const fields: string[] = [];
  const bytes: number[] = [];
  for (const write of writes) {
    const end = write(encoder, target, 0);
    const found: string[] = [];
    decoder.decode(target, 0, end, { field: (name, value) => found.push(`${name}=${value}`) });
    fields.push(found.join(' '));
    bytes.push(end);
  }
  return { fields, bytes };
}

describe('ReplyEncoder', () => {
  it('needs two bytes for headers and one for OK once both are indexed', () => {
    const { fields, bytes } = dialogue(new ReplyEncoder(), [response, ok, response, ok, only]);
    expect(fields).toEqual([RESPONSE, 'grpc-status=0', RESPONSE, 'grpc-status=0', `${RESPONSE} grpc-status=0`]);
    expect(bytes).toEqual([19, 15, 2, 1, 3]);
  });

  it('keeps the indices right in whichever order the fields come first', () => {
    expect(dialogue(new ReplyEncoder(), [ok, response, ok, response]).fields).toEqual([
      'grpc-status=0',
      RESPONSE,
      'grpc-status=0',
      RESPONSE,
    ]);
  });

  it('writes other statuses with their message percent-encoded, and does not index them', () => {
    const { fields, bytes } = dialogue(new ReplyEncoder(), [failed, failed]);
    expect(fields).toEqual(['grpc-status=13 grpc-message=a b%25c%0A', 'grpc-status=13 grpc-message=a b%25c%0A']);
    expect(bytes[0]).toBe(bytes[1]);
  });

  const sizes: [announced: number, bytes: number[], tableBytes: number][] = [
    [4096, [2, 1], 104],
    [65536, [2, 1], 104],
    [103, [21, 15], 0],
    [0, [21, 15], 0],
    [104, [4, 1], 104],
  ];
  it.each(sizes)('follows a table size of %d announced later', (announced, bytes, tableBytes) => {
    const encoder = new ReplyEncoder();
    const decoder = new HpackDecoder();
    dialogue(encoder, [response, ok], decoder);
    encoder.peerTableSize(announced);
    const after = dialogue(encoder, [response, ok], decoder);
    expect(after.fields).toEqual([RESPONSE, 'grpc-status=0']);
    expect(after.bytes).toEqual(bytes);
    expect(decoder.table.bytes).toBe(tableBytes);
  });

  it('cuts long messages, whose bytes may be anything', () => {
    expect(percentEncode('é😀')).toBe('%C3%A9%F0%9F%98%80');
    expect(percentEncode('%'.repeat(5000))).toHaveLength(3 * 1024);
  });
});
