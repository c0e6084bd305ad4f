import { VirtualTimeline } from '../../../../../src/simulation/engine/core/timeline';

describe('VirtualTimeline', () => {
  it('runs actions by instant, and in order of scheduling within one', () => {
    const timeline = new VirtualTimeline();
    const seen: string[] = [];
    for (const [atMs, name] of [
      [30, 'd'],
      [10, 'a'],
      [20, 'b'],
      [20, 'c'],
      [40, 'e'],
    ] as const) {
      timeline.schedule(atMs, () => seen.push(`${name}@${timeline.nowMs()}`));
    }
    timeline.run();
    expect(seen).toEqual(['a@10', 'b@20', 'c@20', 'd@30', 'e@40']);
  });

  it('stops at the given instant, which is included, and goes on later', () => {
    const timeline = new VirtualTimeline();
    const seen: number[] = [];
    for (const atMs of [5, 10, 15]) timeline.schedule(atMs, () => seen.push(atMs));
    timeline.run(10);
    expect(seen).toEqual([5, 10]);
    timeline.run(12);
    expect(timeline.nowMs()).toBe(12);
    timeline.run();
    expect(seen).toEqual([5, 10, 15]);
  });

  it('never runs backwards: what is due in the past is due at once', () => {
    const timeline = new VirtualTimeline();
    timeline.run(100);
    let at = 0;
    timeline.schedule(50, () => (at = timeline.nowMs()));
    timeline.run();
    expect(at).toBe(100);
  });
});
