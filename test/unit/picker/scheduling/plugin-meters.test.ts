import { PluginMeters } from '../../../../src/picker/scheduling/plugin-meters';
import { buildScheduler, LLMD_DEFAULT_SCHEDULING } from '../../../../src/picker/scheduling/scheduler-builder';
import { Exposition } from '../../../../src/picker/telemetry/exposition';
import { writePluginMeters } from '../../../../src/picker/telemetry/plugin-metrics';
import { SeededRandom } from '../../../../src/shared/random';
import { poolOf, requestFor } from './support/pool';

/** A scheduler whose clock is a microsecond later at every look. */
function timed(meters?: PluginMeters) {
  let nowMs = 2;
  const source = poolOf({}, {}, {});
  const clock = { nowMs: () => (nowMs += 0.001) };
  const random = new SeededRandom(1);
  const built = buildScheduler(LLMD_DEFAULT_SCHEDULING, { source, clock, random, ...(meters === undefined ? {} : { meters }) });
  return built.scheduler!;
}

test('one decision of 64 times every plugin at each point where it works, and decides the same', () => {
  const meters = new PluginMeters();
  const [scheduler, untimed] = [timed(meters), timed()];
  for (let i = 0; i < 130; i++) {
    const asked = requestFor(`${i % 7}`.repeat(1_024));
    expect(scheduler.schedule(asked).destination).toBe(untimed.schedule(asked).destination);
  }
  const seen = [...meters.durations].map(({ point, name, type, seconds }) => [
    point,
    name,
    type,
    seconds.count,
    Math.round(seconds.sum * 1e9),
  ]);
  expect(seen.sort()).toEqual([
    ['DataProducer', 'approx-prefix-cache-producer', 'approx-prefix-cache-producer', 3, 3_000],
    ['Picker', 'max-score-picker', 'max-score-picker', 3, 3_000],
    ['PreRequest', 'approx-prefix-cache-producer', 'approx-prefix-cache-producer', 3, 3_000],
    ['Scorer', 'kv-cache-utilization-scorer', 'kv-cache-utilization-scorer', 3, 3_000],
    ['Scorer', 'prefix-cache-scorer', 'prefix-cache-scorer', 3, 3_000],
    ['Scorer', 'queue-scorer', 'queue-scorer', 3, 3_000],
  ]);
});

test('what the endpoint of a prompt probably has cached is counted for it alone', () => {
  const meters = new PluginMeters();
  const scheduler = timed(meters);
  const page = () => {
    const out = new Exposition();
    writePluginMeters(out, meters, scheduler.prefixes);
    return out.take();
  };
  const labels = 'plugin_name="approx-prefix-cache-producer",plugin_type="approx-prefix-cache-producer"';
  scheduler.schedule(requestFor('a'.repeat(1_024)));
  expect(page()).toContain(`llm_d_epp_prefix_indexer_hit_ratio_sum{${labels}} 0\n`);
  scheduler.schedule(requestFor('a'.repeat(1_024)));
  for (const line of ['size{%} 4', 'hit_ratio_sum{%} 1', 'hit_ratio_count{%} 2', 'hit_bytes_sum{%} 1024'])
    expect(page()).toContain(`llm_d_epp_prefix_indexer_${line.replace('%', labels)}\n`);
});
