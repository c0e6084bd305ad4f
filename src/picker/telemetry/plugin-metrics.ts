import type { PluginFaults } from '../scheduling/plugin-faults';
import type { Exposition } from './exposition';

/** What scorers of users did wrong. */
export function writePluginMetrics(out: Exposition, { counts }: PluginFaults): void {
  const name = 'aig_picker_custom_plugin_faults_total';
  out.family(name, 'counter', 'Scores of custom scorers that could not be used as they were.');
  for (const [plugin, kinds] of counts) {
    for (const [kind, count] of kinds) out.sample(name, ['plugin_name', plugin, 'fault', kind], count);
  }
}
