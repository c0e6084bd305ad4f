/** Source of time for everything that decides by time, so that a simulation can drive it. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  nowMs(): number;
}

// performance.now() counts from the start of its own thread; CLOCK_MONOTONIC, which hrtime reads, is the same for all threads, and times
// written by a worker must be comparable with the main thread's
const [seconds, nanoseconds] = process.hrtime();
const originMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

/** The machine's monotonic clock; the same in every thread of the process. */
export const monotonicClock: Clock = { nowMs: () => originMs + performance.now() };

const epochOriginMs = Date.now() - performance.now();

/** Milliseconds since 1970 as this process knew them at its start; steps of the machine's clock after that do not show. */
export const epochClock: Clock = { nowMs: () => epochOriginMs + performance.now() };

/** A clock that stands still until it is told otherwise. */
export class ManualClock implements Clock {
  /** @param currentMs where it starts */
  public constructor(private currentMs = 0) {}

  public nowMs(): number {
    return this.currentMs;
  }

  /** @throws RangeError for a step back */
  public advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`a clock cannot go back by ${ms} ms`);
    this.currentMs += ms;
  }
}
