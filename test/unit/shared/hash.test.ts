import { hashBlocks, hashText, mix32 } from '../../../src/shared/hash';
import { SeededRandom } from '../../../src/shared/random';

function textHash(...texts: string[]): string {
  const state = { low: 0, high: 0 };
  for (const text of texts) hashText(text, state);
  return `${state.low},${state.high}`;
}

function blockHashes(words: Int32Array, wordsPerBlock: number, seed = { low: 1, high: 2 }): string[] {
  const blocks = Math.floor(words.length / wordsPerBlock);
  const hashes = new Int32Array(2 * blocks);
  hashBlocks(words, blocks, wordsPerBlock, seed, hashes);
  return Array.from({ length: blocks }, (_, i) => `${hashes[2 * i]},${hashes[2 * i + 1]}`);
}

describe('hashing', () => {
  test('texts are kept apart where one ends and the next begins', () => {
    const hashes = [['a', 'bc'], ['ab', 'c'], ['abc'], ['abc', ''], ['', 'abc'], []].map((texts) => textHash(...texts));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('a hundred thousand similar names do not collide', () => {
    const hashes = new Set(Array.from({ length: 100_000 }, (_, i) => textHash(`adapter-${i}`)));
    expect(hashes.size).toBe(100_000);
  });

  test('each block depends on all words before its end, and on none after', () => {
    const words = Int32Array.from({ length: 64 }, (_, i) => i);
    const before = blockHashes(words, 16);
    for (let at = 0; at < 64; at++) {
      const changed = words.slice();
      changed[at] = changed[at]! ^ 1;
      const after = blockHashes(changed, 16);
      expect(after.map((hash, i) => hash === before[i])).toEqual([0, 1, 2, 3].map((block) => block < at >> 4));
    }
  });

  test('the seed changes all blocks', () => {
    const words = new Int32Array(32);
    const a = blockHashes(words, 16, { low: 0, high: 0 });
    const b = blockHashes(words, 16, { low: 0, high: 1 });
    const c = blockHashes(words, 16, { low: 1, high: 0 });
    expect(new Set([...a, ...b, ...c]).size).toBe(6);
  });

  test('blocks of zeros, and blocks that differ in one bit, do not collide', () => {
    const seen = new Set<string>();
    for (let length = 1; length <= 64; length++) seen.add(blockHashes(new Int32Array(length), length)[0]!);
    for (let bit = 0; bit < 2048; bit++) {
      const words = new Int32Array(64);
      words[bit >> 5] = 1 << (bit & 31);
      seen.add(blockHashes(words, 64)[0]!);
    }
    expect(seen.size).toBe(64 + 2048);
  });

  test('blocks of text that differ in two bits collide no more than chance lets one lane', () => {
    const random = new SeededRandom(2);
    const words = Int32Array.from({ length: 64 }, () => Math.floor(random.next() * 2 ** 32) & 0x7f7f7f7f);
    const seen = new Set<string>();
    let pairs = 0;
    for (let a = 0; a < 2048; a += 13) {
      for (let b = a + 1; b < 2048; b += 13) {
        const changed = words.slice();
        changed[a >> 5] = changed[a >> 5]! ^ (1 << (a & 31));
        changed[b >> 5] = changed[b >> 5]! ^ (1 << (b & 31));
        seen.add(blockHashes(changed, 64)[0]!);
        pairs++;
      }
    }
    // n²/2³³ is far below 1 for the 3,000 pairs that lie in one lane
    expect(pairs - seen.size).toBe(0);
  });

  test('each of the two lanes is spread like chance: many blocks of text', () => {
    const random = new SeededRandom(1);
    const words = Int32Array.from({ length: 1 << 17 }, () => 0x20202020 | Math.floor(random.next() * 64));
    const hashes = new Int32Array(2 * words.length);
    hashBlocks(words, words.length, 1, { low: 0, high: 0 }, hashes);
    for (const lane of [0, 1]) {
      const values = new Set<number>();
      for (let i = lane; i < hashes.length; i += 2) values.add(hashes[i]!);
      // n²/2³³ = 2 pairs are to be expected among 2^17 numbers of 32 bits
      expect(words.length - values.size).toBeLessThan(15);
    }
    const both = new Set<string>();
    for (let i = 0; i < hashes.length; i += 2) both.add(`${hashes[i]},${hashes[i + 1]}`);
    expect(both.size).toBe(words.length);
  });

  test('a flipped bit changes about half of the bits', () => {
    let changed = 0;
    for (let i = 0; i < 32; i++) {
      const difference = mix32(12_345) ^ mix32(12_345 ^ (1 << i));
      for (let bit = 0; bit < 32; bit++) changed += (difference >>> bit) & 1;
    }
    expect(changed / 32).toBeGreaterThan(14);
    expect(changed / 32).toBeLessThan(18);
  });
});
