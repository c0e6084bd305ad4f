/** A stream of numbers in [0, 1) that is the same for the same seed. */
export type Random = () => number;

/** SplitMix (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) on 32 bits: seeds that differ in one bit give unrelated streams. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
  };
}
