import { WallTimeline } from '../../../../../src/simulation/engine/http/wall-timeline';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('WallTimeline', () => {
  it('runs as many times as fast as asked', async () => {
    const timeline = new WallTimeline(100);
    const startedAt = performance.now();
    await new Promise<void>((resolve) => timeline.schedule(timeline.nowMs() + 2000, resolve));
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeLessThan(2000);
    expect(timeline.nowMs()).toBeGreaterThanOrEqual(2000);
  });

  it('stands at the due instant while an action runs, unless somebody was told a later one', async () => {
    const timeline = new WallTimeline();
    const seen: number[] = [];
    timeline.schedule(20, () => seen.push(timeline.nowMs()));
    await pause(40);
    const told = timeline.nowMs();
    timeline.schedule(21, () => seen.push(timeline.nowMs()));
    await pause(10);
    expect(seen[0]).toBe(20);
    expect(seen[1]).toBe(told);
  });

  it('runs nothing after it was stopped', async () => {
    const timeline = new WallTimeline();
    let ran = false;
    timeline.schedule(5, () => (ran = true));
    timeline.stop();
    await pause(20);
    expect(ran).toBe(false);
  });
});
