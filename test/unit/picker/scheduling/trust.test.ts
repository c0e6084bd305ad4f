import { QueueScorer } from '../../../../src/picker/scheduling/plugins/scorer/queue-scorer/queue-scorer';
import { buildScheduler } from '../../../../src/picker/scheduling/scheduler-builder';
import { blendTowardMean, trustRatio } from '../../../../src/picker/scheduling/trust';
import { ManualClock } from '../../../../src/shared/clock';
import { SeededRandom } from '../../../../src/shared/random';
import { poolOf, requestFor } from './support/pool';

describe('trust in old reports', () => {
  test.each([
    ['never reported', 0, 50, 1_000_000, 0],
    ['just reported', 1000, 50, 1000, 1],
    ['a few busy scrapes missed', 1000, 50, 1450, 1],
    ['one half-life beyond the grace', 1000, 50, 3450, 0.5],
    ['two half-lives beyond', 1000, 50, 5450, 0.25],
    ['an idle endpoint at its own pace', 1000, 1000, 5250, 1],
    ['an idle endpoint that stopped', 1000, 1000, 7250, 0.5],
  ])('%s', (_, updatedAtMs, intervalMs, nowMs, expected) => {
    expect(trustRatio(updatedAtMs, intervalMs, nowMs)).toBeCloseTo(expected, 12);
  });

  test('scores move to the mean of those that can be believed', () => {
    const scores = Float64Array.of(1, 0, 0.5, 0.9);
    blendTowardMean(scores, Float64Array.of(1, 1, 0.5, 0), Int32Array.of(0, 1, 2, 3), 4);
    const mean = (1 + 0 + 0.25) / 2.5;
    expect([...scores]).toEqual([1, 0, 0.5 * 0.5 + 0.5 * mean, mean].map((value) => expect.closeTo(value, 12)));
  });

  test('where nothing can be believed all are equal', () => {
    const scores = Float64Array.of(1, 0);
    blendTowardMean(scores, Float64Array.of(0, 0), Int32Array.of(0, 1), 2);
    expect([...scores]).toEqual([0.5, 0.5]);
  });

  const queueOnly = {
    plugins: [{ name: QueueScorer.TYPE, type: QueueScorer.TYPE }],
    schedulingProfiles: [{ name: 'default', plugins: [{ pluginRef: QueueScorer.TYPE }] }],
  };

  test('B9: an idle-looking endpoint whose page fell silent loses its lead smoothly, and traffic never stops', () => {
    const clock = new ManualClock(1);
    const source = poolOf({ waiting: 0 }, { waiting: 4 }, { waiting: 8 });
    const { table } = source.snapshot;
    const scheduler = buildScheduler(queueOnly, { source, clock, random: new SeededRandom(1) }).scheduler!;
    const record = scheduler.newRecord();
    const silentScore = (): number => {
      clock.advance(1000);
      table.updatedAtMs[1] = clock.nowMs();
      table.updatedAtMs[2] = clock.nowMs();
      expect(scheduler.schedule(requestFor(), record).destination).not.toBe('');
      return record.totals[0]!;
    };
    const scores = Array.from({ length: 30 }, silentScore);
    expect(scores[0]).toBeGreaterThan(0.85);
    for (let i = 1; i < scores.length; i++) expect(scores[i]!).toBeLessThan(scores[i - 1]!);
    expect(scores.at(-1)).toBeCloseTo((0.5 + 0) / 2, 2);
  });

  test('B9: a pool that never reported is used evenly', () => {
    const source = poolOf({ updatedAtMs: 0 }, { updatedAtMs: 0 });
    const scheduler = buildScheduler(queueOnly, { source, clock: new ManualClock(1), random: new SeededRandom(1) }).scheduler!;
    const slots = Array.from({ length: 100 }, () => scheduler.schedule(requestFor()).slot);
    expect(slots.filter((slot) => slot === 0).length).toBeGreaterThan(30);
    expect(slots.filter((slot) => slot === 1).length).toBeGreaterThan(30);
  });
});
