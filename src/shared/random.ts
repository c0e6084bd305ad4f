import { randomInt } from 'node:crypto';

/** Source of chance for everything that chooses by chance, so that a run can be repeated. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  next(): number;
}

/**
 * sfc32 ("small fast counter", PractRand): 128 bits of state, a period of at least 2^32 for every seed, four additions a number. Not for
 * secrets.
 */
export class SeededRandom implements RandomSource {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed any number; its lower and upper 32 bits count */
  public constructor(seed: number) {
    this.a = seed | 0;
    this.b = Math.floor(seed / 2 ** 32) | 0;
    this.c = 0x9e3779b9 | 0;
    // the first outputs of neighbouring seeds resemble each other
    for (let i = 0; i < 12; i++) this.next();
  }

  public next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }
}

/** A generator whose seed nobody knows. */
export function unpredictableRandom(): RandomSource {
  return new SeededRandom(randomInt(2 ** 48 - 1));
}
