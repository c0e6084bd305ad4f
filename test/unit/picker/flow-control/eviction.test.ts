import type { Evictable } from '../../../../src/picker/flow-control/flow';
import type { Refusal } from '../../../../src/picker/flow-control/outcome';
import { band, Harness, settings } from './support';

const bands = [band(10), band(0), band(-1, { evicts: 'running' }), band(-2, { evicts: 'running' })];

/** Whose running requests can be ended, as admission has it. */
class Evicting extends Harness {
  public readonly evicted: string[] = [];
  public readonly told: Refusal[] = [];

  public constructor(atOnce: number) {
    super(settings({ atOnce, bands }));
  }

  /** A request comes, goes on, and may be ended. */
  public run(name: string, priority: number, isLate = false): void {
    expect(this.enter(name, { priority })).toBe('passed');
    const { flow } = this.running.get(name)!;
    if (flow.evicts === 'none') return;
    const place: { value: Evictable; at: number } = { value: undefined as never, at: -1 };
    place.value = {
      place,
      beganMs: this.clock.nowMs(),
      order: this.began.length,
      evict: (refusal) => {
        if (isLate) return false;
        this.told.push(refusal);
        this.evicted.push(name);
        this.finish(name);
        return true;
      },
    };
    flow.evictable.add(place);
  }
}

test('the newest of the lowest priority gives up its place, one for one', () => {
  const flow = new Evicting(5);
  for (const [name, priority] of [
    ['a', -1],
    ['b', -2],
    ['c', -2],
    ['d', 0],
    ['e', -1],
  ] as const)
    flow.run(name, priority);
  flow.clock.advance(700);
  expect(flow.enter('critical-1', { priority: 10 })).toBe('passed');
  expect(flow.evicted).toEqual(['c']);
  expect(flow.told).toMatchObject([{ reason: 'evicted-running', band: 'band-2', pool: 'pool', waitedMs: 700 }]);
  for (const name of ['critical-2', 'standard', 'critical-3']) {
    expect(flow.enter(name, { priority: name === 'standard' ? 0 : 10 })).toBe('passed');
  }
  expect(flow.evicted).toEqual(['c', 'b', 'e', 'a']);
  // what is left may not be ended
  expect(flow.enter('critical-4', { priority: 10 })).toMatchObject({ kind: 'waiting' });
  expect([...flow.running.keys()].sort()).toEqual(['critical-1', 'critical-2', 'critical-3', 'd', 'standard']);
});

test('nobody is ended for one of the same priority, or while there is room', () => {
  const flow = new Evicting(2);
  flow.run('a', -2);
  expect(flow.enter('b', { priority: 10 })).toBe('passed');
  expect(flow.enter('c', { priority: -2 })).toMatchObject({ kind: 'waiting' });
  expect(flow.evicted).toEqual([]);
  expect(flow.enter('d', { priority: -1 })).toBe('passed');
  expect(flow.evicted).toEqual(['a']);
});

test('the place is not taken by one who waits and matters less', () => {
  const flow = new Evicting(1);
  flow.run('a', -2);
  expect(flow.enter('waits', { priority: -2 })).toMatchObject({ kind: 'waiting' });
  expect(flow.enter('critical', { priority: 10 })).toBe('passed');
  expect(flow.began).toEqual(['a', 'critical']);
  flow.finish('critical');
  expect(flow.began).toEqual(['a', 'critical', 'waits']);
});

test('one that can no longer be ended is passed over', () => {
  const flow = new Evicting(2);
  flow.run('a', -2);
  flow.run('late', -2, true);
  expect(flow.enter('critical', { priority: 10 })).toBe('passed');
  expect(flow.evicted).toEqual(['a']);
});
