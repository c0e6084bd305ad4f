const SMALLEST_BITS = 14;
const LARGEST_BITS = 20;
/** Kept for each size, so at most 8 x (16 KiB + ... + 1 MiB), about 16 MiB. */
const KEPT_PER_SIZE = 8;

const spare: Buffer[][] = Array.from({ length: LARGEST_BITS - SMALLEST_BITS + 1 }, () => []);

/**
 * A buffer of at least `bytes`, of a power of two up to 1 MiB so that it can be used again: memory outside of the JavaScript heap is
 * slow to obtain and slow to be collected.
 */
export function takeBuffer(bytes: number): Buffer {
  const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(bytes - 1));
  if (bits > LARGEST_BITS) return Buffer.allocUnsafeSlow(bytes);
  return spare[bits - SMALLEST_BITS]!.pop() ?? Buffer.allocUnsafeSlow(2 ** bits);
}

/** Gives a buffer of `takeBuffer` back; the caller must not touch it any more. */
export function giveBuffer(buffer: Buffer): void {
  const bits = 31 - Math.clz32(buffer.length);
  if (bits < SMALLEST_BITS || bits > LARGEST_BITS || buffer.length !== 2 ** bits) return;
  const kept = spare[bits - SMALLEST_BITS]!;
  if (kept.length < KEPT_PER_SIZE) kept.push(buffer);
}
