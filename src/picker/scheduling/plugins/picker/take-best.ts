import type { RandomSource } from '../../../../shared/random';

/**
 * Writes the positions of the `wanted` highest keys to `picked`, best first; among equal keys each order is equally likely. `wanted` is
 * small, so a scan for each is cheaper than a sort, and needs no memory.
 */
export function takeBest(keys: Float64Array, count: number, picked: Int32Array, wanted: number, random: RandomSource): number {
  for (let taken = 0; taken < wanted; taken++) {
    let best = -1;
    let bestKey = Number.NEGATIVE_INFINITY;
    let ties = 0;
    for (let k = 0; k < count; k++) {
      const key = keys[k]!;
      if (key < bestKey || isTaken(k, picked, taken)) continue;
      if (best === -1 || key > bestKey) {
        best = k;
        bestKey = key;
        ties = 1;
      } else if (random.next() * ++ties < 1) {
        // reservoir of one: the i-th tie replaces the choice with probability 1/i
        best = k;
      }
    }
    picked[taken] = best;
  }
  return wanted;
}

function isTaken(position: number, picked: Int32Array, taken: number): boolean {
  for (let i = 0; i < taken; i++) if (picked[i] === position) return true;
  return false;
}
