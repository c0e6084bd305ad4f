import { type Hash64, hashText, mix32 } from '../../shared/hash';

/** What a session may be kept at. */
export interface StickyTarget {
  /** More than 0 of all; 0 is never chosen. */
  readonly weight: number;
  /** Of what the target is, so that it does not matter where in the list it stands. */
  readonly seed: Hash64;
}

const session: Hash64 = { low: 0, high: 0 };

/**
 * Index of the target that a session is kept at: by weighted rendezvous hashing, the least of `-ln(u) / weight`, where `u` in (0, 1) is a
 * hash of session and target. A target gets its weight's share of the sessions, and when its weight changes, sessions move only to it or only
 * away from it; intervals of a line would move those between its neighbours, too. Where several weights change at once as well, no way to
 * choose by hash alone is better for every pair of targets (Moulton and Jiang, "Maximally Consistent Sampling and the Jaccard Index of
 * Probability Distributions", 2018). Every replica chooses alike.
 */
export function stickyChoice(targets: readonly StickyTarget[], key: string): number {
  session.low = 0;
  session.high = 0;
  hashText(key, session);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index < targets.length; index++) {
    const { weight, seed } = targets[index]!;
    if (weight === 0) continue;
    const hash = mix32(mix32(session.low ^ seed.low) ^ session.high ^ seed.high) >>> 0;
    const draw = -Math.log((hash + 0.5) / 2 ** 32) / weight;
    if (draw >= least) continue;
    least = draw;
    best = index;
  }
  return best;
}

/** Seed of a target: of the model, of what serves it, and of how often the same stands before it in the list. */
export function stickySeed(...texts: readonly string[]): Hash64 {
  const seed: Hash64 = { low: 0, high: 0 };
  for (const text of texts) hashText(text, seed);
  return seed;
}
