import fc from 'fast-check';
import { FrameBuffer } from '../../src/picker/peers/frame-buffer';
import {
  decodeFrame,
  encodeCounts,
  encodeGreeting,
  encodeHello,
  ID_BYTES,
  MAC_BYTES,
  MAX_COUNTS,
  MAX_FRAME_BYTES,
  MAX_SHARED_BLOCKS,
  NONCE_BYTES,
  type PeerFrame,
  prefixFrameBytes,
  writePrefix,
} from '../../src/picker/peers/wire-format';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const count = fc.integer({ min: 0, max: 1e9 });
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const entry = fc.record({
  keyLow: word,
  keyHigh: word,
  inFlight: count,
  prefillTokens: count,
  promptTokens: count,
  outputTokens: count,
});

const written: fc.Arbitrary<{ readonly bytes: Buffer; readonly frame: PeerFrame }> = fc.oneof(
  fc.tuple(bytesOf(ID_BYTES), bytesOf(NONCE_BYTES)).map(([id, nonce]) => ({
    bytes: encodeGreeting(id, nonce),
    frame: { kind: 'greeting' as const, version: 1, id, nonce },
  })),
  fc.tuple(bytesOf(ID_BYTES), bytesOf(MAC_BYTES)).map(([id, mac]) => ({
    bytes: encodeHello(id, mac),
    frame: { kind: 'hello' as const, version: 1, id, mac },
  })),
  fc
    .array(entry, { maxLength: 20 })
    .map((entries) => ({ bytes: encodeCounts(entries), frame: { kind: 'counts' as const, entries } })),
  fc
    .tuple(word, word, word, fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 40 }))
    .map(([producer, keyLow, keyHigh, blocks]) => {
      const hashes = Int32Array.from(blocks.flat());
      const bytes = Buffer.alloc(prefixFrameBytes(blocks.length));
      writePrefix(bytes, 0, producer, keyLow, keyHigh, hashes, blocks.length);
      return { bytes, frame: { kind: 'prefix' as const, producer, keyLow, keyHigh, hashes } };
    }),
);

/** What comes out of a connection that brings these pieces. */
function taken(pieces: readonly Buffer[]): { readonly frames: PeerFrame[]; readonly fault: string | undefined } {
  const buffer = new FrameBuffer();
  const frames: PeerFrame[] = [];
  for (const piece of pieces) {
    const fault = buffer.take(piece, (frame) => frames.push(frame) > 0);
    if (fault !== undefined) return { frames, fault };
  }
  return { frames, fault: undefined };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1]!, end));
}

describe('frames between replicas', () => {
  test('come out as they went in, however the network cuts them', () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 20 }), (all, places) => {
        const { frames, fault } = taken(cut(Buffer.concat(all.map(({ bytes }) => bytes)), places));
        expect(fault).toBeUndefined();
        expect(frames).toEqual(all.map(({ frame }) => frame));
      }),
    );
  });

  test('are decoded from any bytes without failing, and never read beyond themselves', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const decoded = decodeFrame(Buffer.from(bytes));
        if (decoded === 'more' || 'fault' in decoded) return;
        expect(decoded.length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test('with some bytes changed are frames or faults, never an exception', () => {
    fc.assert(
      fc.property(written, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), ({ bytes }, changes) => {
        const changed = Buffer.from(bytes);
        for (const [place, value] of changes) changed[place % changed.length] = value;
        taken([changed]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of the largest size fit, and a larger one is a fault before it has come', () => {
    const full = encodeCounts(
      Array.from({ length: MAX_COUNTS }, (_, i) => ({
        keyLow: i,
        keyHigh: 0,
        inFlight: 1,
        prefillTokens: 0,
        promptTokens: 0,
        outputTokens: 0,
      })),
    );
    expect(full.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(taken([full]).frames).toHaveLength(1);
    expect(prefixFrameBytes(MAX_SHARED_BLOCKS)).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    const head = Buffer.alloc(5);
    head.writeUInt32LE(MAX_FRAME_BYTES, 0);
    expect(taken([head]).fault).toBe(`a frame of ${MAX_FRAME_BYTES + 4} bytes`);
  });

  test('of another version tell their version, whatever follows', () => {
    const other = encodeHello(Buffer.alloc(ID_BYTES), Buffer.alloc(MAC_BYTES));
    other.writeUInt16LE(7, 9);
    const longer = Buffer.concat([other, Buffer.alloc(9)]);
    longer.writeUInt32LE(longer.length - 4, 0);
    for (const bytes of [other, longer]) expect(taken([bytes]).frames).toMatchObject([{ kind: 'hello', version: 7 }]);
  });
});
