import type { Scorer } from '../../../../src/picker/scheduling/interface/plugins';
import { KvCacheUtilizationScorer } from '../../../../src/picker/scheduling/plugins/scorer/kv-cache-utilization-scorer/kv-cache-utilization-scorer';
import { LoadAwareScorer } from '../../../../src/picker/scheduling/plugins/scorer/load-aware-scorer/load-aware-scorer';
import { LoraAffinityScorer } from '../../../../src/picker/scheduling/plugins/scorer/lora-affinity-scorer/lora-affinity-scorer';
import { QueueScorer } from '../../../../src/picker/scheduling/plugins/scorer/queue-scorer/queue-scorer';
import { RunningRequestsSizeScorer } from '../../../../src/picker/scheduling/plugins/scorer/running-requests-size-scorer/running-requests-size-scorer';
import { type PoolMember, poolOf, requestFor, scoresOf } from './support/pool';

describe('scorers', () => {
  test.each<[string, Scorer, PoolMember[], number[]]>([
    [
      'queue: linear between the longest and the shortest',
      new QueueScorer(),
      [{ waiting: 10 }, { waiting: 0 }, { waiting: 4 }],
      [0, 1, 0.6],
    ],
    ['queue: all equal are all 1', new QueueScorer(), [{ waiting: 7 }, { waiting: 7 }], [1, 1]],
    ['queue: one endpoint alone is 1', new QueueScorer(), [{ waiting: 7 }], [1]],
    [
      'running: linear between most and least',
      new RunningRequestsSizeScorer(),
      [{ running: 8 }, { running: 6 }, { running: 0 }],
      [0, 0.25, 1],
    ],
    ['running: looks at running only', new RunningRequestsSizeScorer(), [{ waiting: 9 }, { waiting: 1 }], [1, 1]],
    ['kv: the free share', new KvCacheUtilizationScorer(), [{ kv: 0 }, { kv: 0.25 }, { kv: 1 }], [1, 0.75, 0]],
    ['kv: a report above 1 is full', new KvCacheUtilizationScorer(), [{ kv: 1.5 }], [0]],
    ['kv: a report below 0 is empty', new KvCacheUtilizationScorer(), [{ kv: -1 }], [1]],
    [
      'load: half for an empty queue',
      new LoadAwareScorer(128),
      [{ waiting: 0 }, { waiting: 64 }, { waiting: 128 }, { waiting: 500 }],
      [0.5, 0.25, 0, 0],
    ],
    ['load: the threshold is a parameter', new LoadAwareScorer(10), [{ waiting: 5 }], [0.25]],
  ])('%s', (_, scorer, members, expected) => {
    const scores = scoresOf(scorer, poolOf(...members));
    expect(scores).toEqual(expected.map((value) => expect.closeTo(value, 12)));
  });

  test('an endpoint that never reported does not stretch the scale of the others', () => {
    const pool = poolOf({ waiting: 100 }, { waiting: 90 }, { waiting: 0, updatedAtMs: 0 });
    expect(scoresOf(new QueueScorer(), pool)).toEqual([0, 1, 1]);
  });

  test('the weight multiplies, and totals are added to', () => {
    const pool = poolOf({ kv: 0.5 });
    const totals = Float64Array.of(10);
    new KvCacheUtilizationScorer().score(requestFor(), pool.snapshot, pool.snapshot.ready, 1, 3, totals);
    expect(totals[0]).toBe(11.5);
  });

  test.each<[string, { max: number; running: string[]; waiting: string[] }, number]>([
    ['in use', { max: 1, running: ['sql'], waiting: [] }, 1],
    ['in use, and also waiting', { max: 1, running: ['sql'], waiting: ['sql'] }, 1],
    ['room for one more', { max: 2, running: ['chat'], waiting: [] }, 0.8],
    ['room although it waits already', { max: 3, running: ['chat'], waiting: ['sql'] }, 0.8],
    ['no room, but it waits', { max: 2, running: ['chat'], waiting: ['sql'] }, 0.6],
    ['no room', { max: 2, running: ['chat', 'code'], waiting: [] }, 0],
    ['no adapters at all', { max: 0, running: [], waiting: [] }, 0],
    ['a name that only begins alike', { max: 1, running: ['sql2'], waiting: [] }, 0],
  ])('lora: %s', (_, { max, running, waiting }, expected) => {
    const pool = poolOf({});
    pool.snapshot.table.setAdapters(0, max, running, waiting);
    expect(scoresOf(new LoraAffinityScorer(), pool, requestFor('', { targetModel: 'sql' }))).toEqual([expected]);
  });

  test('lora: more adapters than the table holds are cut, running ones first', () => {
    const pool = poolOf({});
    const names = Array.from({ length: 70 }, (_, i) => `adapter-${i}`);
    pool.snapshot.table.setAdapters(0, 64, names, ['sql']);
    const score = (targetModel: string) => scoresOf(new LoraAffinityScorer(), pool, requestFor('', { targetModel }))[0];
    expect([score('adapter-63'), score('adapter-64'), score('sql')]).toEqual([1, 0, 0]);
  });
});
