const STRIDE = 7;
const LOW = 0;
const HIGH = 1;
const SLOT = 2;
/** Neighbours in the slot's list by recency; a free entry uses NEWER for the next free one. -1 is none. */
const NEWER = 3;
const OLDER = 4;
/** `now` of the index when the block was last recorded. */
const STAMP = 5;
/** A float: how often the block comes back, see `demandRatio`. */
const DEMAND = 6;
const NONE = -1;

/**
 * Which endpoint probably has which prompt blocks in its cache: one hash table of (block hash, slot), bounded for all slots together, with
 * one list by recency for each slot. Typed arrays throughout, so its memory does not grow and the garbage collector never looks at it.
 *
 * In a slot's list each block of a prompt lies behind the block before it. So a block is at most as recent as the one before, eviction by
 * recency takes the tails of prompts first, and the presence of a block implies that of all blocks before it. That lets `match` search
 * by halves instead of walking the prompt, and `record` move a prompt that comes again in one piece.
 *
 * Beside what is there, the index knows how near a block is to being pushed out, and how often it comes back in the time that an unused one
 * stays (the characteristic time of a cache: Che, Tung, Wang 2002).
 */
export class PrefixIndex {
  /** By bucket: entry + 1, 0 where free. Twice as many buckets as entries, linear probing. */
  private readonly buckets: Int32Array;
  private readonly shift: number;
  private readonly mask: number;
  private readonly entries: Int32Array;
  /** The same memory. */
  private readonly floats: Float32Array;
  /** Prompts recorded so far, which is the clock of this cache. It wraps, so only differences are used. */
  private now = 0;
  /** Share that one return of a block has in its demand, 0 to 1; at 0 demand is not known. */
  public demandGain = 0;
  /** The last block of the last match. */
  private matched = NONE;
  private nextUnused = 0;
  private firstFree = NONE;
  /** By slot. */
  private newest = new Int32Array(0);
  private oldest = new Int32Array(0);
  /** When the oldest was recorded: beside the list, because it is asked for every endpoint of every request. */
  private oldestStamps = new Int32Array(0);
  private counts = new Int32Array(0);
  private total = 0;

  /** @param maxEntries bound for all slots together; memory is about 36 to 44 bytes each */
  public constructor(public readonly maxEntries: number) {
    const bits = Math.max(1, Math.ceil(Math.log2(maxEntries * 2)));
    this.buckets = new Int32Array(1 << bits);
    this.shift = 32 - bits;
    this.mask = (1 << bits) - 1;
    this.entries = new Int32Array(maxEntries * STRIDE);
    this.floats = new Float32Array(this.entries.buffer);
  }

  /** Blocks known for all slots. */
  public get size(): number {
    return this.total;
  }

  /** Blocks known for one slot. */
  public countOf(slot: number): number {
    return this.counts[slot] ?? 0;
  }

  public has(low: number, high: number, slot: number): boolean {
    return this.buckets[this.findBucket(low, high, slot)] !== 0;
  }

  /**
   * Length in blocks of the longest recorded prefix of a prompt.
   * @param hashes chained block hashes, two words each
   * @param hint a guess, for example the length found for another slot: when it is right, two look-ups are enough
   */
  public match(hashes: Int32Array, blocks: number, slot: number, hint: number): number {
    // invariant: known <= answer < beyond
    let known = 0;
    let beyond = blocks + 1;
    if (hint > 0 && hint <= blocks) {
      if (this.hasBlock(hashes, hint - 1, slot)) known = hint;
      else beyond = hint;
    }
    if (known === 0) {
      if (beyond === 1 || blocks === 0 || !this.hasBlock(hashes, 0, slot)) return 0;
      known = 1;
    }
    for (let step = 1; known + step < beyond; step *= 2) {
      if (!this.hasBlock(hashes, known + step - 1, slot)) {
        beyond = known + step;
        break;
      }
      known += step;
    }
    while (beyond - known > 1) {
      const middle = (known + beyond) >>> 1;
      if (this.hasBlock(hashes, middle - 1, slot)) known = middle;
      else beyond = middle;
    }
    return known;
  }

  /**
   * Records that a slot has seen a prompt, of which the first `capacity` blocks at most are kept. Blocks beyond the slot's capacity are
   * forgotten, least recent first; where all slots together reach the bound, the slot with the most blocks gives way.
   */
  public record(hashes: Int32Array, blocks: number, slot: number, capacity: number): void {
    if (slot >= this.counts.length) this.growSlots(slot + 1);
    const kept = Math.min(blocks, capacity, this.maxEntries);
    this.now = (this.now + 1) | 0;
    const lifetime = this.lifetimeOf(slot);
    let victim = NONE;
    // the entry of the block before, behind which the next one belongs
    let tail = NONE;
    let block = 0;
    while (block < kept) {
      const low = hashes[2 * block]!;
      const high = hashes[2 * block + 1]!;
      const used = this.buckets[this.findBucket(low, high, slot)]!;
      if (used !== 0) {
        const first = used - 1;
        let last = first;
        this.touch(first, lifetime);
        for (block++; block < kept && this.isNext(last, hashes, block); block++) {
          last = this.entries[last * STRIDE + OLDER]!;
          this.touch(last, lifetime);
        }
        this.moveBehind(tail, first, last, slot);
        tail = last;
        continue;
      }
      while (this.counts[slot]! >= capacity) this.evictOldest(slot);
      if (this.total === this.maxEntries) {
        if (victim === NONE || this.counts[victim] === 0) victim = this.fullestSlot();
        // only this prompt's own blocks are left to give way: its beginning is worth more than its end
        if (victim === slot && this.oldest[slot] === tail) break;
        this.evictOldest(victim);
      }
      tail = this.insert(low, high, slot, tail);
      block++;
    }
    // a capacity that has fallen since
    while (this.counts[slot]! > capacity) this.evictOldest(slot);
    this.noteOldest(slot);
  }

  /** How long ago the slot's oldest block was used, in prompts recorded since: so long does stay what nobody asks for. 0 where there is none. */
  public lifetimeOf(slot: number): number {
    return this.countOf(slot) > 0 ? (this.now + 1 - this.oldestStamps[slot]!) | 0 : 0;
  }

  /** After a match of one block or more: how near its last one is to being pushed out, 0 (just used) to 1 (next to go). */
  public ageRatio(lifetime: number): number {
    return this.ageOf(this.matched, lifetime);
  }

  /** After such a match: 0 for a block that comes back only when it is nearly out, or never did, towards 1 for one that comes at once. */
  public demandRatio(): number {
    return this.floats[this.matched * STRIDE + DEMAND]!;
  }

  /** Drops all blocks of a slot. */
  public forget(slot: number): void {
    while (this.countOf(slot) > 0) this.evictOldest(slot);
  }

  private hasBlock(hashes: Int32Array, block: number, slot: number): boolean {
    const used = this.buckets[this.findBucket(hashes[2 * block]!, hashes[2 * block + 1]!, slot)]!;
    if (used === 0) return false;
    this.matched = used - 1;
    return true;
  }

  private ageOf(entry: number, lifetime: number): number {
    const age = (this.now - this.entries[entry * STRIDE + STAMP]!) | 0;
    if (age <= 0) return 0;
    return age < lifetime ? age / lifetime : 1;
  }

  private touch(entry: number, lifetime: number): void {
    const at = entry * STRIDE;
    const demand = this.floats[at + DEMAND]!;
    this.floats[at + DEMAND] = demand + this.demandGain * (1 - this.ageOf(entry, lifetime) - demand);
    this.entries[at + STAMP] = this.now;
  }

  private home(low: number, slot: number): number {
    // the hash lanes are mixed already; the slot must move the bucket far, or a block that all slots have would fill a long run
    return Math.imul(low ^ Math.imul(slot + 1, 0x9e3779b1), 0x85ebca77) >>> this.shift;
  }

  /** The entry's bucket, or the free one where it would go. */
  private findBucket(low: number, high: number, slot: number): number {
    const buckets = this.buckets;
    const entries = this.entries;
    const mask = this.mask;
    let bucket = this.home(low, slot);
    for (;;) {
      const used = buckets[bucket]!;
      if (used === 0) return bucket;
      const at = (used - 1) * STRIDE;
      if (entries[at + LOW] === low && entries[at + HIGH] === high && entries[at + SLOT] === slot) return bucket;
      bucket = (bucket + 1) & mask;
    }
  }

  /** Whether the entry behind this one in its slot's list is the prompt's block. */
  private isNext(entry: number, hashes: Int32Array, block: number): boolean {
    const older = this.entries[entry * STRIDE + OLDER]!;
    if (older === NONE) return false;
    const at = older * STRIDE;
    return this.entries[at + LOW] === hashes[2 * block] && this.entries[at + HIGH] === hashes[2 * block + 1];
  }

  private insert(low: number, high: number, slot: number, behind: number): number {
    let entry = this.firstFree;
    if (entry === NONE) entry = this.nextUnused++;
    else this.firstFree = this.entries[entry * STRIDE + NEWER]!;
    const at = entry * STRIDE;
    this.entries[at + LOW] = low;
    this.entries[at + HIGH] = high;
    this.entries[at + SLOT] = slot;
    this.entries[at + STAMP] = this.now;
    this.floats[at + DEMAND] = 0;
    // looked for again: an eviction since the last search may have moved the gap
    this.buckets[this.findBucket(low, high, slot)] = entry + 1;
    this.linkBehind(behind, entry, entry, slot);
    this.counts[slot] = this.counts[slot]! + 1;
    this.total++;
    return entry;
  }

  private evictOldest(slot: number): void {
    const entry = this.oldest[slot]!;
    const at = entry * STRIDE;
    this.unlink(entry, entry, slot);
    this.emptyBucket(this.findBucket(this.entries[at + LOW]!, this.entries[at + HIGH]!, slot));
    this.entries[at + NEWER] = this.firstFree;
    this.firstFree = entry;
    this.counts[slot] = this.counts[slot]! - 1;
    this.total--;
    this.noteOldest(slot);
  }

  private noteOldest(slot: number): void {
    const oldest = this.oldest[slot]!;
    if (oldest !== NONE) this.oldestStamps[slot] = this.entries[oldest * STRIDE + STAMP]!;
  }

  /** Backward-shift deletion: what follows moves up, so no tombstones pile up. */
  private emptyBucket(bucket: number): void {
    const buckets = this.buckets;
    const entries = this.entries;
    const mask = this.mask;
    let gap = bucket;
    for (let next = (bucket + 1) & mask; buckets[next] !== 0; next = (next + 1) & mask) {
      const at = (buckets[next]! - 1) * STRIDE;
      const home = this.home(entries[at + LOW]!, entries[at + SLOT]!);
      // it may fill the gap unless its home lies behind the gap
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      buckets[gap] = buckets[next]!;
      gap = next;
    }
    buckets[gap] = 0;
  }

  /** Moves a run of the slot's list, from `first` to the older `last`, behind an entry outside of it, or to the front for NONE. */
  private moveBehind(tail: number, first: number, last: number, slot: number): void {
    if (this.entries[first * STRIDE + NEWER] === tail) return;
    this.unlink(first, last, slot);
    this.linkBehind(tail, first, last, slot);
  }

  private linkBehind(tail: number, first: number, last: number, slot: number): void {
    const older = tail === NONE ? this.newest[slot]! : this.entries[tail * STRIDE + OLDER]!;
    this.entries[first * STRIDE + NEWER] = tail;
    this.entries[last * STRIDE + OLDER] = older;
    if (tail === NONE) this.newest[slot] = first;
    else this.entries[tail * STRIDE + OLDER] = first;
    if (older === NONE) this.oldest[slot] = last;
    else this.entries[older * STRIDE + NEWER] = last;
  }

  private unlink(first: number, last: number, slot: number): void {
    const newer = this.entries[first * STRIDE + NEWER]!;
    const older = this.entries[last * STRIDE + OLDER]!;
    if (newer === NONE) this.newest[slot] = older;
    else this.entries[newer * STRIDE + OLDER] = older;
    if (older === NONE) this.oldest[slot] = newer;
    else this.entries[older * STRIDE + NEWER] = newer;
  }

  private fullestSlot(): number {
    let fullest = 0;
    for (let slot = 1; slot < this.counts.length; slot++) if (this.counts[slot]! > this.counts[fullest]!) fullest = slot;
    return fullest;
  }

  private growSlots(atLeast: number): void {
    const length = Math.max(atLeast, this.counts.length * 2, 16);
    const grown = (column: Int32Array, fill: number): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(length).fill(fill);
      copy.set(column);
      return copy;
    };
    this.newest = grown(this.newest, NONE);
    this.oldest = grown(this.oldest, NONE);
    this.oldestStamps = grown(this.oldestStamps, 0);
    this.counts = grown(this.counts, 0);
  }
}
