import { tokenId } from './tokenizer';

/**
 * Names a full KV block by its tokens and everything before them: equal names mean equal prefixes. 53 bits, so that it is one exact
 * number; among a million blocks the chance of any collision is below 10⁻⁴.
 */
export function chainHash(parent: number, tokens: Int32Array, start: number, end: number): number {
  let low = (parent >>> 0) ^ 0x9747b28c;
  let high = Math.floor(parent / 4294967296) ^ 0x5bd1e995;
  for (let i = start; i < end; i++) {
    low = Math.imul(low ^ tokens[i]!, 0x85ebca6b);
    low ^= low >>> 15;
    high = Math.imul(high ^ tokens[i]! ^ low, 0xc2b2ae35);
    high ^= high >>> 13;
  }
  low = Math.imul(low ^ (high >>> 16), 0x27d4eb2f);
  return (low >>> 0) + (high & 0x1fffff) * 4294967296;
}

/** Where a chain begins: an adapter changes every layer, so its blocks are never shared with the base model's. */
export function chainRoot(adapter: string | undefined): number {
  return adapter === undefined ? 1 : (tokenId(adapter) >>> 0) + 2;
}
