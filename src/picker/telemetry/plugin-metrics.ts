import type { PluginFaults } from '../scheduling/plugin-faults';
import type { PluginMeters } from '../scheduling/plugin-meters';
import { ApproxPrefixCacheProducer } from '../scheduling/plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import type { Exposition } from './exposition';

/** What plugins take (one decision of 64 is timed), and what prefix producers find. @param prefixes those in force, by name */
export function writePluginMeters(
  out: Exposition,
  meters: PluginMeters,
  prefixes: ReadonlyMap<string, ApproxPrefixCacheProducer>,
): void {
  const name = 'llm_d_epp_plugin_duration_seconds';
  out.family(name, 'histogram', 'Time that a plugin takes, in one decision of 64.');
  for (const { point, name: plugin, type, seconds } of meters.durations) {
    out.histogram(name, ['extension_point', point, 'plugin_name', plugin, 'plugin_type', type], seconds);
  }
  const prefix = 'llm_d_epp_prefix_indexer';
  const labels = (plugin: string): string[] => ['plugin_name', plugin, 'plugin_type', ApproxPrefixCacheProducer.TYPE];
  out.family(`${prefix}_size`, 'gauge', 'Blocks of prompts that are known, of all endpoints.');
  for (const [plugin, { index }] of prefixes) out.sample(`${prefix}_size`, labels(plugin), index.size);
  out.family(`${prefix}_hit_ratio`, 'histogram', 'Share of a prompt that its endpoint probably has cached.');
  for (const plugin of prefixes.keys()) out.histogram(`${prefix}_hit_ratio`, labels(plugin), meters.prefixHits(plugin).ratio);
  out.family(`${prefix}_hit_bytes`, 'histogram', 'Bytes of a prompt that its endpoint probably has cached.');
  for (const plugin of prefixes.keys()) out.histogram(`${prefix}_hit_bytes`, labels(plugin), meters.prefixHits(plugin).bytes);
}

/** What scorers of users did wrong. */
export function writePluginMetrics(out: Exposition, { counts }: PluginFaults): void {
  const name = 'aig_picker_custom_plugin_faults_total';
  out.family(name, 'counter', 'Scores of custom scorers that could not be used as they were.');
  for (const [plugin, kinds] of counts) {
    for (const [kind, count] of kinds) out.sample(name, ['plugin_name', plugin, 'fault', kind], count);
  }
}
