import { Worker } from 'node:worker_threads';
import { ManualClock, monotonicClock } from '../../../src/shared/clock';

describe('clocks', () => {
  test('a manual clock stands still until it is told otherwise, and never goes back', () => {
    const clock = new ManualClock(5);
    clock.advance(2.5);
    expect(clock.nowMs()).toBe(7.5);
    expect(() => clock.advance(-1)).toThrow(RangeError);
    expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
  });

  test('the monotonic clock tells the time that CLOCK_MONOTONIC tells in any thread', async () => {
    const program =
      "const [s, ns] = process.hrtime(); require('node:worker_threads').parentPort.postMessage(s * 1e3 + ns / 1e6);";
    const before = monotonicClock.nowMs();
    const worker = new Worker(program, { eval: true });
    const told = await new Promise<number>((resolve) => worker.once('message', resolve));
    // a clock that counted from the start of its thread would be off by hours
    expect(told).toBeGreaterThan(before);
    expect(told).toBeLessThan(monotonicClock.nowMs());
    await worker.terminate();
  });
});
