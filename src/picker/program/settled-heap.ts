import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects all garbage once. V8 lets the old generation grow to a multiple of what survived its last full collection, and before the first one
 * to tens of megabytes; a picker that has started holds little, and makes so little garbage that lives long that it would stay at that.
 */
export function settleHeap(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}
