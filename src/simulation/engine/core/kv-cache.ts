const NONE = -1;

/**
 * Paged KV memory with a prefix cache (Kwon et al., PagedAttention, 2023): blocks are counted by the sequences that use them; an unused one
 * keeps its content, and its name, until it is the least recently used and somebody needs room.
 */
export class KvCache {
  private readonly users: Int32Array;
  /** Name of the content, NaN where the block is not full or nothing finds it. */
  private readonly names: Float64Array;
  private readonly blockByName = new Map<number, number>();
  // Unused blocks as a doubly linked list through arrays, least recently used first; the last index is its head and tail.
  private readonly after: Int32Array;
  private readonly before: Int32Array;
  private unused: number;

  constructor(
    readonly blocks: number,
    private readonly findsPrefixes: boolean,
  ) {
    this.users = new Int32Array(blocks);
    this.names = new Float64Array(blocks).fill(Number.NaN);
    this.after = new Int32Array(blocks + 1);
    this.before = new Int32Array(blocks + 1);
    this.after[blocks] = blocks;
    this.before[blocks] = blocks;
    this.unused = 0;
    for (let block = 0; block < blocks; block++) this.append(block);
  }

  /** Blocks that no sequence uses, cached content or not. */
  get unusedBlocks(): number {
    return this.unused;
  }

  /** What vLLM reports as `kv_cache_usage_perc`: blocks in use, of all. */
  get usageRatio(): number {
    return (this.blocks - this.unused) / this.blocks;
  }

  /** How many of these names, from the first on without a gap, are in memory. */
  countCached(names: readonly number[], limit: number): number {
    let count = 0;
    while (count < limit && count < names.length && this.blockByName.has(names[count]!)) count++;
    return count;
  }

  /** Of the first `count` named blocks, those that nobody uses: taking them lessens the room for others. */
  countUnusedAmong(names: readonly number[], count: number): number {
    let idle = 0;
    for (let i = 0; i < count; i++) if (this.users[this.blockByName.get(names[i]!)!] === 0) idle++;
    return idle;
  }

  /** Appends the first `count` named blocks, which must be cached, to a sequence. */
  share(names: readonly number[], count: number, into: number[]): void {
    for (let i = 0; i < count; i++) {
      const block = this.blockByName.get(names[i]!)!;
      if (this.users[block]!++ === 0) this.remove(block);
      into.push(block);
    }
  }

  /** Appends fresh blocks to a sequence, evicting the least recently used content; all or nothing. */
  allocate(count: number, into: number[]): boolean {
    if (count > this.unused) return false;
    for (let i = 0; i < count; i++) {
      const block = this.after[this.blocks]!;
      this.remove(block);
      this.forget(block);
      this.users[block] = 1;
      into.push(block);
    }
    return true;
  }

  /** Names a block that has become full. A second block with the same content stays unnamed: the first is found. */
  name(block: number, name: number): void {
    if (!this.findsPrefixes || this.blockByName.has(name)) return;
    this.names[block] = name;
    this.blockByName.set(name, block);
  }

  /** Ends a sequence's use of its blocks. The last of them are evicted first, because a prefix is worth nothing without its beginning. */
  release(blocks: number[]): void {
    for (let i = blocks.length - 1; i >= 0; i--) {
      const block = blocks[i]!;
      if (--this.users[block]! === 0) this.append(block);
    }
    blocks.length = 0;
  }

  private forget(block: number): void {
    const name = this.names[block]!;
    if (Number.isNaN(name)) return;
    this.blockByName.delete(name);
    this.names[block] = Number.NaN;
  }

  private append(block: number): void {
    const ends = this.blocks;
    const last = this.before[ends]!;
    this.after[last] = block;
    this.before[block] = last;
    this.after[block] = ends;
    this.before[ends] = block;
    this.unused++;
  }

  private remove(block: number): void {
    const before = this.before[block]!;
    const after = this.after[block]!;
    this.after[before] = after;
    this.before[after] = before;
    this.after[block] = NONE;
    this.unused--;
  }
}
