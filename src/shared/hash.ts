/**
 * A 64-bit hash in two 32-bit lanes, for tables of this process and of its replicas (whoever changes it changes the version of their
 * exchange, too): fast on V8, where 64-bit integers are not. Not for secrets, and not stable between machines of different byte order.
 */
export interface Hash64 {
  low: number;
  high: number;
}

// odd constants with about half of their bits set; those of murmur3's and xxHash's finalizers are known to mix well
const LOW_FACTOR = 0xcc9e2d51 | 0;
const HIGH_FACTOR = 0x85ebca77 | 0;
/** Keeps zeros from hashing to zero, whatever came before. */
const OFFSET = 0xe6546b64 | 0;

/** Final mix of one lane (murmur3's fmix32): every bit of the input changes about half of the output. */
export function mix32(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Folds a text into `state`. Texts are kept apart by their length: ('a', 'bc') and ('ab', 'c') differ. */
export function hashText(text: string, state: Hash64): void {
  let { low, high } = state;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, LOW_FACTOR);
    low = (low << 13) | (low >>> 19);
    high = Math.imul((high + unit) ^ (high >>> 15), HIGH_FACTOR);
  }
  state.low = mix32(((low ^ text.length) + OFFSET) | 0);
  state.high = mix32((high + Math.imul(text.length, LOW_FACTOR)) ^ low);
}

/**
 * Chained hashes of equal blocks: block i's hash depends on all bytes before its end, and on the seed. Each lane is MurmurHash3_x86_32 (Appleby)
 * over every other word, so that the processor works on both at once; blocks that differ in one word never collide.
 * @param words the bytes, 4 to a word
 * @param wordsPerBlock at least 1
 * @param hashes receives two words a block: low, high
 */
export function hashBlocks(words: Int32Array, blocks: number, wordsPerBlock: number, seed: Hash64, hashes: Int32Array): void {
  let low = seed.low | 0;
  let high = seed.high | 0;
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    const end = at + wordsPerBlock;
    for (; at + 1 < end; at += 2) {
      low = (Math.imul(rotate13(low ^ scattered(words[at]!)), 5) + OFFSET) | 0;
      high = (Math.imul(rotate13(high ^ scattered(words[at + 1]!)), 5) + OFFSET) | 0;
    }
    if (at < end) low = (Math.imul(rotate13(low ^ scattered(words[at++]!)), 5) + OFFSET) | 0;
    // each lane takes the other in: from the next block on both depend on all words
    low = mix32(low ^ high);
    high = mix32((high + Math.imul(low, LOW_FACTOR)) | 0);
    hashes[2 * block] = low;
    hashes[2 * block + 1] = high;
  }
}

function scattered(word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

function rotate13(value: number): number {
  return (value << 13) | (value >>> 19);
}
