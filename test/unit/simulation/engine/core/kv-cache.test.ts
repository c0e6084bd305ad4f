import { KvCache } from '../../../../../src/simulation/engine/core/kv-cache';

/** Fills a sequence of fresh blocks and names each of them. */
function filled(kv: KvCache, names: number[]): number[] {
  const blocks: number[] = [];
  expect(kv.allocate(names.length, blocks)).toBe(true);
  for (const [i, name] of names.entries()) kv.name(blocks[i]!, name);
  return blocks;
}

describe('KvCache', () => {
  it('allocates all or nothing', () => {
    const kv = new KvCache(4, true);
    const blocks: number[] = [];
    expect(kv.allocate(3, blocks)).toBe(true);
    expect(kv.allocate(2, blocks)).toBe(false);
    expect(blocks).toHaveLength(3);
    expect(kv.unusedBlocks).toBe(1);
    expect(kv.usageRatio).toBe(0.75);
  });

  it('finds a released prefix, and shares it without using more memory', () => {
    const kv = new KvCache(4, true);
    kv.release(filled(kv, [11, 12, 13]));
    expect(kv.usageRatio).toBe(0);
    expect(kv.countCached([11, 12, 99, 13], 4)).toBe(2);
    expect(kv.countUnusedAmong([11, 12], 2)).toBe(2);

    const first: number[] = [];
    const second: number[] = [];
    kv.share([11, 12], 2, first);
    kv.share([11, 12], 2, second);
    expect(second).toEqual(first);
    expect(kv.unusedBlocks).toBe(2);
    expect(kv.countUnusedAmong([11, 12, 13], 3)).toBe(1);
    kv.release(first);
    expect(kv.unusedBlocks).toBe(2);
    kv.release(second);
    expect(kv.unusedBlocks).toBe(4);
  });

  it('evicts the least recently used content first, and of one sequence its end', () => {
    const kv = new KvCache(4, true);
    kv.release(filled(kv, [1, 2]));
    kv.release(filled(kv, [3, 4]));
    const touched: number[] = [];
    kv.share([1, 2], 2, touched);
    kv.release(touched);

    const cached = () => [1, 2, 3, 4].filter((name) => kv.countCached([name], 1) === 1);
    const taken: number[] = [];
    const evictions: number[][] = [];
    for (let i = 0; i < 4; i++) {
      kv.allocate(1, taken);
      evictions.push(cached());
    }
    expect(evictions).toEqual([[1, 2, 3], [1, 2], [1], []]);
  });

  it('keeps the first of two blocks with equal content findable', () => {
    const kv = new KvCache(2, true);
    const [one] = filled(kv, [7]);
    const [two] = filled(kv, [7]);
    kv.release([two!]);
    const found: number[] = [];
    kv.share([7], 1, found);
    expect(found).toEqual([one]);
  });

  it('finds nothing when prefix caching is off', () => {
    const kv = new KvCache(2, false);
    kv.release(filled(kv, [7]));
    expect(kv.countCached([7], 1)).toBe(0);
  });
});
