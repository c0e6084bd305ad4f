import { ConfigCode } from '../../picker-config/codes';
import type { EndpointPickerConfig } from '../../picker-config/endpoint-picker-config';
import { EMPTY_PICKER_POLICY, type PickerPolicy } from '../../picker-config/picker-policy';
import type { Problem } from '../../shared/problem';

/** Types that the program itself stands for, beside those of the scheduling registry. */
export const PROGRAM_PLUGINS: readonly string[] = [
  'file-discovery',
  'metrics-data-source',
  'core-metrics-extractor',
  // what their names say is done for every request, by its path
  'openai-parser',
  'anthropic-parser',
  'passthrough-parser',
];

/**
 * Types that have a say only about queued or sheddable requests. Without flow control, and without InferenceObjectives that make a request
 * sheddable, they have no effect in llm-d's picker either.
 */
export const IDLE_PLUGINS: readonly string[] = [
  'utilization-detector',
  'static-usage-limit-policy',
  'global-strict-fairness-policy',
  'round-robin-fairness-policy',
  'fcfs-ordering-policy',
];

/** Parts of llm-d's configuration that this picker does not implement, each refused by name. */
export function unsupportedParts(config: EndpointPickerConfig, locate: (path: string) => string): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, what: string, fix: string): void => {
    problems.push({ code: ConfigCode.UNSUPPORTED_SECTION, what, fix, where: locate(path) });
  };
  if (config.featureGates.flowControl) {
    refuse(
      'featureGates',
      "this picker does not queue requests yet: feature gate 'flowControl' is not supported",
      'remove the gate',
    );
  }
  const { dataLayer } = config;
  if (dataLayer.peerDiscovery !== undefined) {
    refuse('dataLayer.peerDiscovery', 'replicas of this picker do not look for each other', 'remove dataLayer.peerDiscovery');
  }
  if (dataLayer.crossReplicaSyncer !== undefined) {
    const fix = 'remove dataLayer.crossReplicaSyncerPluginRef';
    refuse('dataLayer.crossReplicaSyncerPluginRef', 'replicas of this picker do not share what they know', fix);
  }
  return problems;
}

/** Sections of a policy that this picker does not implement, each refused by name. */
export function unsupportedSections(policy: PickerPolicy, locate: (section: string) => string): Problem[] {
  return [...wholeSections(policy, locate), ...unsupportedIdentity(policy, locate)];
}

function unsupportedIdentity({ identity }: PickerPolicy, locate: (section: string) => string): Problem[] {
  if (identity === undefined || identity.source === 'apiKeys' || identity.source === 'header') return [];
  return [
    {
      code: ConfigCode.UNSUPPORTED_SECTION,
      what: `this picker does not verify clients by '${identity.source}' yet`,
      value: `identity.source: ${identity.source}`,
      allowed: 'identity.source: apiKeys, header',
      fix: 'let the gateway verify the client, and tell the picker in a header (source: header)',
      where: locate('identity'),
    },
  ];
}

function wholeSections(policy: PickerPolicy, locate: (section: string) => string): Problem[] {
  const instead: Readonly<Partial<Record<keyof PickerPolicy, string>>> = {
    priorities: 'remove it',
  };
  return (Object.keys(instead) as (keyof PickerPolicy)[])
    .filter((section) => JSON.stringify(policy[section]) !== JSON.stringify(EMPTY_PICKER_POLICY[section]))
    .map((section) => ({
      code: ConfigCode.UNSUPPORTED_SECTION,
      what: `section '${section}' of a PickerPolicy is not supported by this picker yet`,
      fix: instead[section]!,
      where: locate(section),
    }));
}
