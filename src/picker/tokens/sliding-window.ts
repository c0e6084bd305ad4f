/**
 * What one key has used of one limit: a sliding window of two counters. The use at a moment is that of the window under way, and of the
 * window before it the share that the sliding window still covers. What a window used beyond the limit is debt: it does not fade, but
 * takes room in the windows that follow until it is worked off.
 */
export interface WindowUse {
  /** Number of the window that `current` counts. */
  window: number;
  current: number;
  previous: number;
}

/** Brings the counters to the window `window`. Where a clock was set back, what was used in a window that is to come is used in this one. */
export function rollTo(use: WindowUse, window: number, amount: number): void {
  const passed = window - use.window;
  if (passed <= 0) {
    use.window = window;
    return;
  }
  // every further window without use works off one amount
  use.previous = Math.max(0, use.current + debtOf(use, amount) - (passed - 1) * amount);
  use.current = 0;
  use.window = window;
}

/** Tokens used beyond the limit before this window. */
export function debtOf(use: WindowUse, amount: number): number {
  return Math.max(0, use.previous - amount);
}

/** Tokens used beyond the limit until now: what the next window begins with. */
export function overdrawnBy(use: WindowUse, amount: number): number {
  return Math.max(0, use.current + debtOf(use, amount) - amount);
}

/** @param elapsedRatio how much of the window has passed, 0 to 1 */
export function usedOf(use: WindowUse, amount: number, elapsedRatio: number): number {
  const { previous, current } = use;
  return previous > amount ? amount * (1 - elapsedRatio) + previous - amount + current : previous * (1 - elapsedRatio) + current;
}

/**
 * A reservation of the window `reservedWindow` becomes what was really used. What comes on top is used in the window under way; what is
 * given back is given to the window that it was taken from, and to none when that is out of sight.
 */
export function settleUse(use: WindowUse, reservedWindow: number, reserved: number, actual: number): void {
  const difference = actual - reserved;
  if (difference >= 0 || reservedWindow >= use.window) use.current += difference;
  else if (reservedWindow === use.window - 1) use.previous = Math.max(0, use.previous + difference);
}

/**
 * Milliseconds until `charge` fits if nothing else is used or given back.
 * @param charge at most `amount`
 */
export function waitMs(use: WindowUse, amount: number, windowMs: number, elapsedRatio: number, charge: number): number {
  const room = amount - charge;
  const fading = Math.min(use.previous, amount);
  const standing = debtOf(use, amount) + use.current;
  if (fading * (1 - elapsedRatio) + standing <= room) return 0;
  if (standing <= room) return Math.ceil((1 - elapsedRatio - (room - standing) / fading) * windowMs);
  // what stands is `previous` of the next window, one amount less in the one after it, and so on: the first whose end has room
  const windows = Math.max(1, Math.ceil((standing - room) / amount));
  const previous = standing - (windows - 1) * amount;
  const elapsed = 1 - (room - Math.max(0, previous - amount)) / Math.min(previous, amount);
  return Math.ceil((1 - elapsedRatio + windows - 1 + Math.max(0, elapsed)) * windowMs);
}

/** Milliseconds until nothing of the use is left, if nothing is added. */
export function clearMs(use: WindowUse, amount: number, windowMs: number, elapsedRatio: number): number {
  const standing = debtOf(use, amount) + use.current;
  if (standing <= 0 && use.previous <= 0) return 0;
  return Math.ceil((1 - elapsedRatio + Math.ceil(standing / amount)) * windowMs);
}
