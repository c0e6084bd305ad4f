import { SeededRandom } from '../../src/shared/random';

/** Pieces that parsers of these formats trip over. */
const PIECES = [
  ...[
    '"',
    '\\',
    '\\u',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '\n',
    '\r\n',
    '\n\n',
    'data: ',
    '"usage":{',
    '"model":"',
    'null',
    '1e999',
    '-0',
  ],
  ...['{le="', '# TYPE ', 'NaN', '\t', ' ', '\0', '\ud83d', '&a', '*a', '<<: ', '- ', '|', '\u00e9'],
].map((text) => Buffer.from(text));
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x3f_ff, 0x40_00, 0x7fff_ffff, 0xffff_ffff];
const MAX_BYTES = 4_096;

/** Changes inputs in the ways that fuzzers do; the same seed gives the same inputs. */
export class Mutator {
  private readonly random: SeededRandom;

  public constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** One of the seeds, changed in one to eight places. */
  public next(seeds: readonly Buffer[]): Buffer {
    let bytes: Buffer = Buffer.from(this.one(seeds));
    for (let left = 1 + this.below(8); left > 0; left--) bytes = this.changed(bytes, seeds);
    return bytes.length > MAX_BYTES ? bytes.subarray(0, MAX_BYTES) : bytes;
  }

  /** Where to cut an input in two. */
  public cut(bytes: Buffer): number {
    return this.below(bytes.length + 1);
  }

  private changed(bytes: Buffer, seeds: readonly Buffer[]): Buffer {
    const at = this.below(bytes.length + 1);
    switch (this.below(9)) {
      case 0:
        if (at < bytes.length) bytes[at] = this.below(256);
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at]! ^= 1 << this.below(8);
        return bytes;
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.below(16))]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - this.below(64))), bytes.subarray(at)]);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), this.one(PIECES), bytes.subarray(at)]);
      case 5: {
        const other = this.one(seeds);
        const from = this.below(other.length + 1);
        return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + this.below(64)), bytes.subarray(at)]);
      }
      case 6:
        return bytes.subarray(0, at);
      case 7:
        if (bytes.length >= 4) bytes.writeUInt32BE(this.one(NUMBERS), this.below(bytes.length - 3));
        return bytes;
      default:
        return Buffer.concat([bytes.subarray(0, at), Buffer.from([this.below(256), this.below(256)]), bytes.subarray(at)]);
    }
  }

  private one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  private below(end: number): number {
    return Math.floor(this.random.next() * end);
  }
}
