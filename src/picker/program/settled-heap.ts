import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much more than what survived a full collection the old generation may hold at the next one. V8 chooses up to 300 by itself. */
const GROWTH_PERCENT = 50;

/**
 * Keeps V8 from letting garbage pile up in the old generation: it is collected when it has grown by half, and once now, because before its
 * first full collection V8 waits for tens of megabytes. A picker holds little there and adds little, so that such collections are rare.
 */
export function settleHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}
