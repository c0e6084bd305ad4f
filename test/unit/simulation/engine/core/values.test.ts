import { chainHash, chainRoot } from '../../../../../src/simulation/engine/core/block-hash';
import { tokenBounds } from '../../../../../src/simulation/engine/core/engine-stats';
import { Histogram } from '../../../../../src/simulation/engine/core/histogram';
import { defaultProfile, engineProfile } from '../../../../../src/simulation/engine/core/profile';
import { seededRandom } from '../../../../../src/simulation/engine/core/random';
import { tokenize } from '../../../../../src/simulation/engine/core/tokenizer';

describe('engineProfile', () => {
  it('accepts its own defaults', () => {
    expect(engineProfile()).toEqual(defaultProfile);
  });

  it('names everything that is wrong at once', () => {
    const wrong = () => engineProfile({ kvBlocks: 0, stepOverheadMs: -1, jitterRatio: 1 });
    expect(wrong).toThrow(/kvBlocks is out of range \(got 0; allowed: a whole number from 1\)/);
    expect(wrong).toThrow(/stepOverheadMs is out of range/);
    expect(wrong).toThrow(/jitterRatio is out of range/);
  });

  it('refuses a cache that cannot hold the longest sequence', () => {
    expect(() => engineProfile({ kvBlocks: 10, blockTokens: 16, maxModelTokens: 161 })).toThrow(/raise kvBlocks to 11/);
    expect(engineProfile({ kvBlocks: 10, blockTokens: 16, maxModelTokens: 160 }).kvBlocks).toBe(10);
  });
});

describe('Histogram', () => {
  it('counts a value at a bound below it, and cumulates', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(value);
    expect(histogram.cumulative()).toEqual([2, 4, 5]);
    expect([histogram.sum, histogram.count]).toEqual([8, 5]);
  });

  it('has token bounds up to the longest sequence', () => {
    expect(tokenBounds(1024)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
  });
});

describe('tokenize', () => {
  const cases: [text: string, pieces: string[]][] = [
    ['', []],
    ['hello there', ['hello', ' there']],
    ['internationalization', ['internat', 'ionaliza', 'tion']],
    ['in 2026!', ['in', ' ', '202', '6', '!']],
    ['a\n\n  b', ['a', '\n\n  ', 'b']],
    ['día 😀', ['d', 'í', 'a', ' ', '😀']],
  ];
  it.each(cases)('%j', (text, pieces) => {
    expect(tokenize(text).pieces).toEqual(pieces);
  });
});

describe('chainHash', () => {
  const name = (tokens: number[], adapter?: string) => chainHash(chainRoot(adapter), Int32Array.from(tokens), 0, tokens.length);

  it('is an exact integer that depends on tokens, their order, what came before and the adapter', () => {
    const names = [
      name([1, 2]),
      name([2, 1]),
      name([1, 3]),
      name([1, 2], 'red'),
      chainHash(name([1, 2]), Int32Array.of(1, 2), 0, 2),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const each of names) expect(Number.isSafeInteger(each)).toBe(true);
    expect(name([1, 2])).toBe(names[0]);
  });

  it('does not collide among a hundred thousand similar blocks', () => {
    const names = new Set<number>();
    const tokens = new Int32Array(4);
    for (let i = 0; i < 100_000; i++) {
      tokens[i % 4] = i;
      names.add(chainHash(1, tokens, 0, 4));
    }
    expect(names.size).toBe(100_000);
  });
});

describe('seededRandom', () => {
  it('repeats with its seed, and is spread evenly', () => {
    const first = Array.from({ length: 1000 }, seededRandom(7));
    expect(Array.from({ length: 1000 }, seededRandom(7))).toEqual(first);
    expect(Array.from({ length: 1000 }, seededRandom(8))).not.toEqual(first);
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    expect(mean).toBeGreaterThan(0.45);
    expect(mean).toBeLessThan(0.55);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...first)).toBeLessThan(1);
  });
});
