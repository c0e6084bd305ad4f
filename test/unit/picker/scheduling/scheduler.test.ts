import type { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { ProfileOutcome } from '../../../../src/picker/scheduling/profile';
import type { Scheduler } from '../../../../src/picker/scheduling/scheduler';
import {
  buildScheduler,
  LLMD_DEFAULT_SCHEDULING,
  type SchedulingConfig,
} from '../../../../src/picker/scheduling/scheduler-builder';
import type { PluginSpec, ProfilePluginSpec } from '../../../../src/picker-config/endpoint-picker-config';
import { ManualClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { endpoint, poolOf, requestFor } from './support/pool';

function configOf(...plugins: (PluginSpec & { weight?: number })[]): SchedulingConfig {
  return {
    plugins,
    schedulingProfiles: [
      {
        name: 'default',
        plugins: plugins.map(
          ({ name, weight }): ProfilePluginSpec => (weight === undefined ? { pluginRef: name } : { pluginRef: name, weight }),
        ),
      },
    ],
  };
}

const plugin = (type: string, parameters?: Record<string, unknown>, weight?: number) => ({
  name: type,
  type,
  ...(parameters === undefined ? {} : { parameters }),
  ...(weight === undefined ? {} : { weight }),
});

function schedulerFor(
  source: EndpointStore,
  config: SchedulingConfig = LLMD_DEFAULT_SCHEDULING,
  seed = 1,
  clock = new ManualClock(2),
): Scheduler {
  const { scheduler, problems } = buildScheduler(config, { source, clock, random: new SeededRandom(seed) });
  expect(problems).toEqual([]);
  return scheduler!;
}

describe('scheduling a request', () => {
  test('the default weighs queue 2, KV cache 2 and prefix 3', () => {
    const pool = poolOf({ waiting: 4, kv: 0.5 }, { waiting: 0, kv: 0.9 }, { waiting: 2, kv: 0 });
    const scheduler = schedulerFor(pool);
    const record = scheduler.newRecord();
    const result = scheduler.schedule(requestFor('x'.repeat(1024)), record);
    expect(record.explain(pool.snapshot)).toEqual([
      expect.objectContaining({ endpoint: '10.0.0.2:8000', total: 2 * 0.5 + 2 * 1 }),
      expect.objectContaining({ endpoint: '10.0.0.1:8000', total: 2 * 1 + 2 * (1 - 0.9) }),
      expect.objectContaining({ endpoint: '10.0.0.0:8000', total: 2 * 0 + 2 * 0.5 }),
    ]);
    expect(result.destination).toBe('10.0.0.2:8000');
  });

  test('a prompt goes back to where its beginning is cached, until the queue there outweighs it', () => {
    const pool = poolOf({}, {}, {});
    const scheduler = schedulerFor(pool);
    const prompt = 'the same long system prompt '.repeat(100);
    const first = scheduler.schedule(requestFor(`${prompt}question 1`)).slot;
    for (let i = 0; i < 20; i++) expect(scheduler.schedule(requestFor(`${prompt}question ${i}`)).slot).toBe(first);
    pool.snapshot.table.waiting[first] = 10;
    pool.snapshot.table.kvUsageRatio[first] = 1;
    expect(scheduler.schedule(requestFor(`${prompt}question 99`)).slot).not.toBe(first);
  });

  test('the cache salt and the model keep prompts apart', () => {
    const pool = poolOf({}, {});
    const scheduler = schedulerFor(pool, configOf(plugin('prefix-cache-scorer')));
    const record = scheduler.newRecord();
    const prompt = 'secret '.repeat(200);
    const hit = (extra: object): boolean => {
      scheduler.schedule(requestFor(prompt, extra), record);
      return record.totals.some((total) => total > 0);
    };
    expect(hit({ cacheSalt: 'a' })).toBe(false);
    expect(hit({ cacheSalt: 'b' })).toBe(false);
    expect(hit({ cacheSalt: 'a' })).toBe(true);
    expect(hit({ cacheSalt: 'a', targetModel: 'adapter' })).toBe(false);
    expect(hit({})).toBe(false);
  });

  test('fallbacks follow the best, in the order of their totals', () => {
    const pool = poolOf({ kv: 0.2 }, { kv: 0.1 }, { kv: 0.3 }, { kv: 0.4 });
    const scheduler = schedulerFor(
      pool,
      configOf(plugin('kv-cache-utilization-scorer'), plugin('max-score-picker', { maxNumOfEndpoints: 3 })),
    );
    expect(scheduler.schedule(requestFor()).destination).toBe('10.0.0.1:8000,10.0.0.0:8000,10.0.0.2:8000');
  });

  test('fewer endpoints than fallbacks wanted are no fault', () => {
    const scheduler = schedulerFor(poolOf({}, {}), configOf(plugin('random-picker', { maxNumOfEndpoints: 9 })));
    expect(scheduler.schedule(requestFor()).destination.split(',').sort()).toEqual(['10.0.0.0:8000', '10.0.0.1:8000']);
  });

  test('IPv6 endpoints are written with brackets', () => {
    expect(schedulerFor(poolOf({ address: 'fd00::1' })).schedule(requestFor()).destination).toBe('[fd00::1]:8000');
  });

  test('an empty pool, a subset without endpoints, and filters that leave nothing are told apart', () => {
    const never = { matchLabels: { role: 'none' } };
    expect(schedulerFor(poolOf()).schedule(requestFor()).outcome).toBe(ProfileOutcome.NO_ENDPOINTS);
    expect(schedulerFor(poolOf({ ready: false })).schedule(requestFor()).outcome).toBe(ProfileOutcome.NO_ENDPOINTS);
    expect(schedulerFor(poolOf({})).schedule(requestFor('', { subset: [] })).outcome).toBe(ProfileOutcome.OUTSIDE_SUBSET);
    const filtered = schedulerFor(poolOf({}), configOf(plugin('label-selector-filter', never))).schedule(requestFor());
    expect(filtered).toMatchObject({ outcome: ProfileOutcome.FILTERED_OUT, destination: '', slot: -1 });
  });

  test('in-flight requests are counted where they went and settled once', () => {
    const pool = poolOf({});
    const scheduler = schedulerFor(pool);
    const { slot, flight } = scheduler.schedule(requestFor());
    scheduler.schedule(requestFor());
    expect(pool.snapshot.table.inFlight[slot]).toBe(2);
    scheduler.settle(flight);
    expect(pool.snapshot.table.inFlight[slot]).toBe(1);
  });

  test('a request that outlives its endpoint does not touch the next one in the slot', () => {
    const pool = poolOf({});
    const scheduler = schedulerFor(pool);
    const { slot, flight } = scheduler.schedule(requestFor());
    // the freed slot goes to the end of the queue of free slots
    for (let i = 1; i <= 16; i++) pool.replaceAll([endpoint(i)]);
    expect(pool.snapshot.ready).toEqual(Int32Array.of(slot));
    scheduler.schedule(requestFor());
    scheduler.settle(flight);
    expect(pool.snapshot.table.inFlight[slot]).toBe(1);
  });

  test('a successor in the same slot does not inherit the cache', () => {
    const pool = poolOf({});
    const scheduler = schedulerFor(pool, configOf(plugin('prefix-cache-scorer')));
    const record = scheduler.newRecord();
    const prompt = requestFor('p'.repeat(2000));
    const slot = scheduler.schedule(prompt, record).slot;
    scheduler.schedule(prompt, record);
    expect(record.totals[slot]).toBe(1);
    for (let i = 1; i <= 16; i++) pool.replaceAll([endpoint(i)]);
    expect(scheduler.schedule(prompt, record).slot).toBe(slot);
    expect(record.totals[slot]).toBe(0);
  });

  test.each([
    ['ip:port', ['10.0.0.1:8000'], ['10.0.0.1:8000']],
    ['a bare address, with all of its ports', ['10.0.0.2'], ['10.0.0.2:8000', '10.0.0.2:8001']],
    ['a port that the address does not have', ['10.0.0.1:9'], []],
    ['IPv6 with brackets', ['[fd00::1]:8000'], ['[fd00::1]:8000']],
    ['bare IPv6', ['fd00::1'], ['[fd00::1]:8000']],
    ['endpoints that are not ready', ['10.0.0.9:8000'], []],
    ['unknown ones beside known ones, named twice', ['1.2.3.4:1', '10.0.0.1', '10.0.0.1:8000'], ['10.0.0.1:8000']],
  ])('a subset of %s', (_, subset, expected) => {
    const pool = poolOf(
      { address: '10.0.0.1' },
      { address: '10.0.0.2' },
      { address: '10.0.0.2', port: 8001 },
      { address: 'fd00::1' },
      { address: '10.0.0.9', ready: false },
    );
    const scheduler = schedulerFor(pool, configOf(plugin('random-picker', { maxNumOfEndpoints: 10 })));
    const { outcome, destination } = scheduler.schedule(requestFor('', { subset }));
    expect(outcome).toBe(expected.length === 0 ? ProfileOutcome.OUTSIDE_SUBSET : ProfileOutcome.PICKED);
    expect(destination.split(',').filter(Boolean).sort()).toEqual(expected);
  });

  test('a record says for every endpoint who removed it', () => {
    const pool = poolOf({ labels: { tier: 'a' } }, { labels: { tier: 'b' } }, { ready: false }, { labels: { tier: 'a' } });
    const scheduler = schedulerFor(
      pool,
      configOf(plugin('label-selector-filter', { matchLabels: { tier: 'a' } }), plugin('queue-scorer')),
    );
    const record = scheduler.newRecord();
    scheduler.schedule(requestFor('', { subset: ['10.0.0.0', '10.0.0.1', '10.0.0.2'] }), record);
    expect(Object.fromEntries(record.explain(pool.snapshot).map(({ endpoint: at, verdict }) => [at, verdict]))).toEqual({
      '10.0.0.0:8000': 'kept',
      '10.0.0.1:8000': 'label-selector-filter',
      '10.0.0.2:8000': 'not-ready',
      '10.0.0.3:8000': 'outside-subset',
    });
    expect([...record.picked.subarray(0, record.pickedCount)]).toEqual([0]);
  });

  test('asking for a record does not change the decision', () => {
    const run = (recorded: boolean): string[] => {
      const pool = poolOf({ kv: 0.1 }, { kv: 0.1, updatedAtMs: 0 }, { waiting: 3 }, {});
      const scheduler = schedulerFor(pool, undefined, 7);
      const record = recorded ? scheduler.newRecord() : undefined;
      return Array.from({ length: 50 }, (_, i) => scheduler.schedule(requestFor(`${'z'.repeat(512)}${i}`), record).destination);
    };
    expect(run(true)).toEqual(run(false));
  });

  test('a table that grows keeps counts, metrics and caches', () => {
    const pool = poolOf({ waiting: 3 });
    const scheduler = schedulerFor(pool, configOf(plugin('prefix-cache-scorer')));
    const prompt = requestFor('p'.repeat(2000));
    const { slot, flight } = scheduler.schedule(prompt);
    pool.replaceAll(Array.from({ length: 40 }, (_, i) => endpoint(i)));
    expect(pool.snapshot.table.capacity).toBe(64);
    expect(pool.snapshot.table.waiting[slot]).toBe(3);
    expect(scheduler.schedule(prompt).slot).toBe(slot);
    scheduler.settle(flight);
    expect(pool.snapshot.table.inFlight[slot]).toBe(1);
  });
});
