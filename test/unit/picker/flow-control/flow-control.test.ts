import type { Waiting } from '../../../../src/picker/flow-control/flow';
import type { Refusal } from '../../../../src/picker/flow-control/outcome';
import { band, Harness, pool, settings, USAGE } from './support';

/** Fills the pool, then lets everyone in line. */
function saturated(rules = settings()): Harness {
  const harness = new Harness(rules);
  expect(harness.enter('first')).toBe('passed');
  return harness;
}

function drainAll(harness: Harness): string[] {
  while (harness.running.size > 0) harness.finish([...harness.running.keys()][0]!);
  return harness.began.slice(1);
}

test('F5: without load a request goes on at once, and is counted until its end, however long it takes', () => {
  const harness = new Harness();
  expect(harness.enter('a')).toBe('passed');
  harness.clock.advance(3_600_000);
  expect(harness.running.get('a')!.flow.running).toBe(1);
  expect(harness.flow.queued).toBe(0);
  harness.finish('a');
  const [line] = harness.flow.allLines();
  expect([...line!.bands[0]!.active()]).toEqual([]);
});

test('F6: who must wait goes on with the end of another request, and not before', () => {
  const harness = saturated();
  expect(harness.enter('b')).toMatchObject({ kind: 'waiting', bytes: 100 });
  harness.flow.pump();
  expect(harness.began).toEqual(['first']);
  harness.finish('first');
  expect(harness.began).toEqual(['first', 'b']);
  // and all at once where there is room for all
  for (const name of ['c', 'd', 'e']) harness.enter(name);
  harness.pool.set(4);
  harness.flow.endpointsChanged();
  expect(harness.began).toEqual(['first', 'b', 'c', 'd', 'e']);
});

test('reports are believed for as long as the rules say, also by rules that come later', () => {
  const trustAfter = (halfLifeMs: number, harness: Harness): number => {
    const { table } = harness.pool.store.snapshot;
    table.updatedAtMs[0] = harness.clock.nowMs();
    harness.clock.advance(100);
    harness.enter(`late ${halfLifeMs}`);
    return table.trustRatio[0]!;
  };
  const rules = (halfLifeMs: number) => settings({ trust: { graceMs: 0, graceIntervals: 0, halfLifeMs } });
  const harness = saturated(rules(100));
  expect(trustAfter(100, harness)).toBeCloseTo(0.5, 9);
  harness.flow.use(rules(50));
  expect(trustAfter(50, harness)).toBeCloseTo(0.25, 9);
});

test('F3: one full endpoint stops nobody while another has room', () => {
  const harness = new Harness(settings({ atOnce: 2 }));
  harness.pool.set(3);
  const { table } = harness.pool.store.snapshot;
  table.inFlight[0] = 1_000;
  for (const name of ['a', 'b', 'c', 'd']) expect(harness.enter(name)).toBe('passed');
  expect(harness.enter('e')).toMatchObject({ kind: 'waiting' });
});

test('nobody overtakes the queue of his own band or of a higher one', () => {
  const harness = saturated(settings({ atOnce: 2 }));
  harness.enter('second');
  harness.enter('waits', { priority: 0 });
  harness.pool.store.snapshot.table.inFlight[0] = 0;
  expect(harness.enter('later', { priority: 0 })).toMatchObject({ kind: 'waiting' });
  expect(harness.enter('lower', { priority: -1 })).toMatchObject({ kind: 'waiting' });
  expect(harness.enter('higher', { priority: 1 })).toBe('passed');
});

test('the highest priority goes first, whatever came first', () => {
  const harness = saturated();
  for (const priority of [-100, 0, 100, -100, 100]) harness.enter(`p${priority}`, { priority });
  expect(drainAll(harness)).toEqual(['p100', 'p100', 'p0', 'p-100', 'p-100']);
});

describe('in a band', () => {
  const three = { bands: [band(0, { fairness: 'roundRobin' })] };

  test('fairness none serves by arrival alone', () => {
    const harness = saturated();
    for (const [i, fairnessId] of ['a', 'a', 'a', 'b'].entries()) harness.enter(`${fairnessId}${i}`, { fairnessId });
    expect(drainAll(harness)).toEqual(['a0', 'a1', 'a2', 'b3']);
  });

  test('roundRobin serves each tenant in turn', () => {
    const harness = saturated(settings(three));
    for (const [i, fairnessId] of ['a', 'a', 'a', 'b', 'c', 'c'].entries()) harness.enter(`${fairnessId}${i}`, { fairnessId });
    expect(drainAll(harness)).toEqual(['a0', 'b3', 'c4', 'a1', 'c5', 'a2']);
  });

  test('attainedService serves the tenant that has used fewest tokens', () => {
    const harness = saturated(settings({ bands: [band(0, { fairness: 'attainedService' })] }));
    for (let i = 0; i < 4; i++) harness.enter(`large${i}`, { fairnessId: 'large' });
    for (let i = 0; i < 12; i++) harness.enter(`small${i}`, { fairnessId: 'small' });
    const large = { ...USAGE, inputTokens: 0, outputTokens: 300 };
    const small = { ...USAGE, inputTokens: 0, outputTokens: 100 };
    harness.finish('first');
    const served = { large: 0, small: 0 };
    // while both wait, their tokens stay together: three small ones for a large one
    for (let i = 0; i < 12; i++) {
      const [name] = [...harness.running.keys()];
      const isLarge = name!.startsWith('large');
      served[isLarge ? 'large' : 'small'] += isLarge ? 300 : 100;
      harness.finish(name!, isLarge ? large : small);
    }
    expect(Math.abs(served.large - served.small)).toBeLessThanOrEqual(300);
  });

  test('attainedService gives a newcomer neither credit for its absence nor a debt', () => {
    const harness = saturated(settings({ bands: [band(0, { fairness: 'attainedService' })] }));
    for (let i = 0; i < 20; i++) harness.enter(`old${i}`, { fairnessId: 'old' });
    for (let i = 0; i < 10; i++) harness.finish([...harness.running.keys()][0]!);
    const before = harness.began.length;
    for (let i = 0; i < 10; i++) harness.enter(`new${i}`, { fairnessId: 'new' });
    for (let i = 0; i < 8; i++) harness.finish([...harness.running.keys()][0]!);
    const news = harness.began.slice(before).filter((name) => name.startsWith('new')).length;
    expect(news).toBeGreaterThanOrEqual(3);
    expect(news).toBeLessThanOrEqual(5);
  });

  test('attainedService does not hold against a newcomer what was only expected of others', () => {
    const harness = new Harness(settings({ atOnce: 20, bands: [band(0, { fairness: 'attainedService' })] }));
    const small = { ...USAGE, inputTokens: 0, outputTokens: 10 };
    // before anything is known of their size, many of one tenant run
    for (let i = 0; i < 60; i++) harness.enter(`noisy${i}`, { fairnessId: 'noisy' });
    for (let i = 0; i < 60; i++) harness.enter(`quiet${i}`, { fairnessId: 'quiet' });
    for (let i = 0; i < 60; i++) harness.finish([...harness.running.keys()][0]!, small);
    const begun = harness.began.slice(20);
    expect(begun.filter((name) => name.startsWith('quiet')).length).toBeGreaterThanOrEqual(begun.length / 2);
  });

  test('ordering deadline serves who must give up first', () => {
    const harness = saturated(settings({ bands: [band(0, { ordering: 'deadline' })] }));
    harness.enter('patient');
    harness.enter('hasty', { patienceMs: 500 });
    harness.enter('hastier', { patienceMs: 400 });
    expect(drainAll(harness)).toEqual(['hastier', 'hasty', 'patient']);
  });

  test('ordering slo serves who wants its first token first, and those who want nothing last', () => {
    const harness = saturated(settings({ bands: [band(0, { ordering: 'slo' })] }));
    harness.enter('any');
    harness.enter('slow', { sloMs: 5_000 });
    harness.enter('fast', { sloMs: 100 });
    expect(drainAll(harness)).toEqual(['fast', 'slow', 'any']);
  });
});

describe('bounds', () => {
  test('a full band refuses, and says when to come back', () => {
    const harness = saturated(settings({ bands: [band(0, { maxRequests: 2 })] }));
    harness.enter('b');
    harness.enter('c');
    expect(harness.enter('d')).toMatchObject({ kind: 'refusal', reason: 'full', band: 'band0', retryMs: 1_000 });
  });

  test('bytes are counted, also those of a request that left', () => {
    const harness = saturated(settings({ bands: [band(0, { maxBytes: 250 })] }));
    const first = harness.enter('b') as Waiting<string>;
    harness.enter('c');
    expect(harness.enter('d')).toMatchObject({ reason: 'full' });
    harness.flow.leave(first);
    expect(harness.enter('e')).toMatchObject({ kind: 'waiting' });
    expect(harness.flow.queuedBytes).toBe(200);
  });

  test('what can never fit is not asked to try again', () => {
    const harness = saturated(settings({ bands: [band(0, { maxBytes: 250 })] }));
    expect(harness.enter('huge', { bytes: 251 })).toMatchObject({ reason: 'too-large', retryMs: -1 });
    // it fits where nobody has to wait
    harness.finish('first');
    expect(harness.enter('huge', { bytes: 251 })).toBe('passed');
  });

  test('where all queues together are full, the last of the lowest priority gives way', () => {
    const harness = saturated(settings({ maxRequests: 3 }));
    harness.enter('standard', { priority: 0 });
    harness.enter('batch-1', { priority: -1 });
    harness.enter('batch-2', { priority: -1 });
    expect(harness.enter('batch-3', { priority: -1 })).toMatchObject({ reason: 'full' });
    expect(harness.enter('critical', { priority: 1 })).toMatchObject({ kind: 'waiting' });
    expect(harness.refusals).toMatchObject([{ name: 'batch-2', refusal: { reason: 'evicted-priority' } }]);
    expect(drainAll(harness)).toEqual(['critical', 'standard', 'batch-1']);
  });

  test('nobody is given up for a request that would not fit all the same', () => {
    const harness = saturated(settings({ maxBytes: 300 }));
    harness.enter('standard', { priority: 0, bytes: 200 });
    harness.enter('batch', { priority: -1 });
    expect(harness.enter('critical', { priority: 0, bytes: 250 })).toMatchObject({ reason: 'full' });
    expect(harness.refusals).toEqual([]);
  });

  test('F9: a tenant that fills the queue gives way to one that has less in it', () => {
    const harness = saturated(settings({ bands: [band(0, { maxRequests: 4, fairness: 'roundRobin' })] }));
    for (let i = 0; i < 4; i++) harness.enter(`noisy${i}`, { fairnessId: 'noisy' });
    expect(harness.enter('noisy4', { fairnessId: 'noisy' })).toMatchObject({ reason: 'full' });
    expect(harness.enter('quiet0', { fairnessId: 'quiet' })).toMatchObject({ kind: 'waiting' });
    expect(harness.enter('quiet1', { fairnessId: 'quiet' })).toMatchObject({ kind: 'waiting' });
    // two each: nobody has more than his share
    expect(harness.enter('quiet2', { fairnessId: 'quiet' })).toMatchObject({ reason: 'full' });
    expect(harness.refusals.map(({ name }) => name)).toEqual(['noisy3', 'noisy2']);
    expect(harness.refusals[0]!.refusal.reason).toBe('evicted-pressure');
  });
});

describe('time', () => {
  test('whoever has waited as long as the band lets him is refused then, and not later', () => {
    const harness = saturated(settings({ bands: [band(0, { queueMs: 2_000 })] }));
    harness.enter('b');
    harness.advance(1_999);
    expect(harness.refusals).toEqual([]);
    harness.advance(1);
    expect(harness.refusals).toMatchObject([{ name: 'b', refusal: { reason: 'expired', waitedMs: 2_000 } }]);
    expect(harness.flow.queued).toBe(0);
  });

  test('F8: a client that gives up earlier is refused earlier', () => {
    const harness = saturated();
    harness.enter('hasty', { patienceMs: 300 });
    harness.advance(300);
    expect(harness.refusals).toMatchObject([{ name: 'hasty', refusal: { reason: 'expired' } }]);
  });

  test('F7: the time to come back is what the queue needs at its pace', () => {
    const harness = saturated(settings({ bands: [band(0, { maxRequests: 10 })] }));
    for (let i = 0; i < 10; i++) harness.enter(`b${i}`);
    // one every 200 ms
    for (let i = 0; i < 5; i++) {
      harness.advance(200);
      harness.finish([...harness.running.keys()][0]!);
      harness.enter(`later${i}`);
    }
    const refusal = harness.enter('one too many') as Refusal;
    expect(refusal.reason).toBe('full');
    expect(refusal.retryMs).toBeGreaterThan(1_800);
    expect(refusal.retryMs).toBeLessThan(2_600);
  });
});

describe('a pool without endpoints', () => {
  test('is waited for, in a room of its own size and time', () => {
    const harness = new Harness();
    harness.pool.set(0);
    for (const name of ['a', 'b', 'c']) expect(harness.enter(name)).toMatchObject({ kind: 'waiting' });
    expect(harness.enter('d')).toMatchObject({ reason: 'no-endpoints' });
    harness.advance(5_000);
    expect(harness.refusals.map(({ refusal }) => refusal.reason)).toEqual(Array(3).fill('expired-no-endpoints'));
  });

  test('F4: is not mistaken for a full one: the first endpoint serves who waits', () => {
    const harness = new Harness(settings({ atOnce: 2 }));
    harness.pool.set(0);
    harness.enter('a');
    harness.enter('b');
    harness.pool.set(1);
    harness.flow.endpointsChanged();
    expect(harness.began).toEqual(['a', 'b']);
  });

  test('tells how long the next start will take, from the last', () => {
    const harness = new Harness(settings({ waitingRoom: { maxRequests: 1, queueMs: 600_000 } }));
    for (let start = 0; start < 6; start++) {
      harness.pool.set(0);
      harness.flow.endpointsChanged();
      harness.enter(`a${start}`);
      harness.advance(20_000);
      harness.pool.set(1);
      harness.flow.endpointsChanged();
      harness.finish(`a${start}`);
    }
    harness.pool.set(0);
    harness.flow.endpointsChanged();
    harness.enter('waits');
    harness.advance(5_000);
    const { retryMs } = harness.enter('refused') as Refusal;
    expect(retryMs).toBeGreaterThan(14_000);
    expect(retryMs).toBeLessThan(17_000);
  });

  test('sends those who wait to the next of their pools, as soon as that has endpoints', () => {
    const harness = new Harness();
    const other = pool('other', 0);
    harness.pool.set(0);
    const attempts = [{ pool: harness.pool }, { pool: other }];
    harness.enter('a', { attempts });
    harness.enter('b', { attempts });
    other.set(2);
    harness.flow.endpointsChanged();
    expect(harness.began).toEqual(['a', 'b']);
    expect(harness.running.get('a')!.pool).toBe(other);
  });
});

test('who waits for a second pool goes to the first as soon as that has endpoints again', () => {
  const harness = new Harness();
  const other = pool('other', 1);
  harness.pool.set(0);
  const attempts = [{ pool: harness.pool }, { pool: other }];
  expect(harness.enter('a', { attempts })).toBe('passed');
  harness.enter('b', { attempts });
  harness.pool.set(1);
  harness.flow.endpointsChanged();
  expect(harness.running.get('b')!.pool).toBe(harness.pool);
});

describe('who leaves', () => {
  test('leaves at once, and is never answered', () => {
    const harness = saturated();
    const waiting = harness.enter('gone') as Waiting<string>;
    harness.enter('stays');
    harness.flow.leave(waiting);
    expect(harness.flow.queued).toBe(1);
    expect(drainAll(harness)).toEqual(['stays']);
    expect(harness.refusals).toEqual([]);
  });

  test('draining refuses all, and those who would have to wait later; others pass', () => {
    const harness = saturated();
    harness.enter('b');
    harness.enter('c');
    harness.flow.drain();
    expect(harness.refusals.map(({ refusal }) => refusal.reason)).toEqual(['shutting-down', 'shutting-down']);
    expect(harness.enter('d')).toMatchObject({ reason: 'shutting-down' });
    harness.finish('first');
    expect(harness.enter('e')).toBe('passed');
  });
});

describe('ceilings', () => {
  const rules = settings({ atOnce: 10, bands: [band(1), band(-1, { busyCeiling: 0.5 })] });

  test('a lower band uses everything while no higher one is in use', () => {
    const harness = new Harness(rules);
    for (let i = 0; i < 10; i++) expect(harness.enter(`batch${i}`, { priority: -1 })).toBe('passed');
  });

  test('and leaves room while one is, for a minute after its last request', () => {
    const harness = new Harness(rules);
    harness.enter('critical', { priority: 1 });
    for (let i = 0; i < 4; i++) expect(harness.enter(`batch${i}`, { priority: -1 })).toBe('passed');
    expect(harness.enter('waits', { priority: -1 })).toMatchObject({ kind: 'waiting' });
    for (let i = 0; i < 5; i++) expect(harness.enter(`critical${i}`, { priority: 1 })).toBe('passed');
    for (let i = 0; i < 5; i++) harness.finish(`critical${i}`);
    harness.clock.advance(59_000);
    harness.flow.pump();
    expect(harness.flow.queued).toBe(1);
    harness.clock.advance(1_500);
    harness.flow.pump();
    expect(harness.flow.queued).toBe(0);
  });
});

test('a ceiling that was reached is left behind clearly, or for some time', () => {
  const harness = new Harness(settings({ atOnce: 100, bands: [band(0, { ceiling: 0.5 })] }));
  for (let i = 0; i < 50; i++) harness.enter(`r${i}`);
  harness.enter('waits');
  harness.finish('r0');
  // 0.49 is not clearly below 0.5
  expect(harness.flow.queued).toBe(1);
  harness.advance(250);
  expect(harness.flow.queued).toBe(0);
});

describe('a changed configuration', () => {
  test('keeps those who wait, in the new order', () => {
    const harness = saturated();
    for (const [i, fairnessId] of ['a', 'a', 'b'].entries()) harness.enter(`${fairnessId}${i}`, { fairnessId });
    harness.flow.use(settings({ bands: [band(0, { fairness: 'roundRobin' })] }));
    expect(drainAll(harness)).toEqual(['a0', 'b2', 'a1']);
  });

  test('with more room lets them go on', () => {
    const harness = saturated();
    harness.enter('b');
    harness.flow.use(settings({ atOnce: 5 }));
    expect(harness.began).toEqual(['first', 'b']);
  });

  test('without queues lets all of them go on', () => {
    const harness = saturated();
    harness.enter('b');
    harness.enter('c');
    harness.flow.use(settings({ queues: false }));
    expect(harness.began).toEqual(['first', 'b', 'c']);
  });
});

test('without queues only sheddable requests are refused, and only while the pool is full', () => {
  const harness = new Harness(settings({ queues: false }));
  expect(harness.enter('a', { priority: -1 })).toBe('passed');
  expect(harness.enter('b', { priority: 0 })).toBe('passed');
  expect(harness.enter('c', { priority: -1 })).toMatchObject({ reason: 'shed' });
  harness.finish('a');
  harness.finish('b');
  expect(harness.enter('d', { priority: -1 })).toBe('passed');
});

test('what fails while it goes on does not stop those behind it', () => {
  const harness = saturated(settings({ atOnce: 2 }));
  harness.enter('second');
  harness.enter('b');
  harness.enter('c');
  // the scheduler finds no endpoint for it
  const { flow } = harness.running.get('second')!;
  harness.running.delete('second');
  harness.pool.store.snapshot.table.inFlight[0]!--;
  flow.release();
  expect(harness.began).toEqual(['first', 'second', 'b']);
  harness.finish('b');
  expect(harness.began).toEqual(['first', 'second', 'b', 'c']);
});
