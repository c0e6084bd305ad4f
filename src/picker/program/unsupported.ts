import { ConfigCode } from '../../picker-config/codes';
import type { EndpointPickerConfig } from '../../picker-config/endpoint-picker-config';
import type { Problem } from '../../shared/problem';

/** Types that the program itself stands for, beside those of the scheduling registry. */
export const PROGRAM_PLUGINS: readonly string[] = [
  'file-discovery',
  'metrics-data-source',
  'core-metrics-extractor',
  'dcgm-data-source',
  'dcgm-extractor',
  // what their names say is done for every request, by its path
  'openai-parser',
  'anthropic-parser',
  'passthrough-parser',
];

/** Parts of llm-d's configuration that this picker does not implement, each refused by name. */
export function unsupportedParts(config: EndpointPickerConfig, locate: (path: string) => string): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, what: string, fix: string): void => {
    problems.push({ code: ConfigCode.UNSUPPORTED_SECTION, what, fix, where: locate(path) });
  };
  const { dataLayer } = config;
  if (dataLayer.peerDiscovery !== undefined) {
    refuse(
      'dataLayer.peerDiscovery',
      'dataLayer.peerDiscovery is not read: replicas find each other by --peers',
      'remove it, and set --peers',
    );
  }
  if (dataLayer.crossReplicaSyncer !== undefined) {
    const fix = 'remove it, and set --peers';
    refuse(
      'dataLayer.crossReplicaSyncerPluginRef',
      'dataLayer.crossReplicaSyncerPluginRef is not read: replicas tell each other without a plugin',
      fix,
    );
  }
  return problems;
}
