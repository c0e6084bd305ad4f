import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FLOW_CONTROL_PLUGINS } from '../../../src/picker/flow-control/llmd-settings';
import * as unsupported from '../../../src/picker/program/unsupported';
import { SCHEDULING_PLUGINS } from '../../../src/picker/scheduling/plugin-registry';
import { EMPTY_ENDPOINT_PICKER_CONFIG, type EndpointPickerConfig } from '../../../src/picker-config/endpoint-picker-config';
import type { PickerPolicy } from '../../../src/picker-config/picker-policy';
import { parsePickerPolicy } from '../../../src/picker-config/picker-policy-parser';
import { PLUGIN_CATALOGUE } from '../../../src/picker-config/plugin-catalogue';
import type { Problem } from '../../../src/shared/problem';
import { ROOT } from './pages';

/** A configuration with every part that the picker may lack. */
const FULL_CONFIG: EndpointPickerConfig = {
  ...EMPTY_ENDPOINT_PICKER_CONFIG,
  dataLayer: { ...EMPTY_ENDPOINT_PICKER_CONFIG.dataLayer, peerDiscovery: 'peers', crossReplicaSyncer: 'syncer' },
};

type PolicyRefusal = (policy: PickerPolicy, locate: (place: string) => string) => Problem[];

/** What the picker refuses by name, asked of the picker itself: a list of its own messages. */
export function pickerStatus(): string {
  const { policy } = parsePickerPolicy(
    readFileSync(path.join(ROOT, 'test/fixtures/policy/good-full.yaml'), 'utf8'),
    'policy.yaml',
  );
  if (policy === undefined) throw new Error('good-full.yaml does not parse');
  const { unsupportedParts, ...others } = unsupported;
  const ofPolicy = Object.values(others).filter((value) => typeof value === 'function') as PolicyRefusal[];
  return (
    [...ofPolicy.flatMap((refusal) => refusal(policy, String)), ...unsupportedParts(FULL_CONFIG, String)]
      // the names of the fixture's pools say nothing to a reader
      .map(({ what }) => `- ${what.replace(/^pool '[^']*' finds/, 'a pool that finds')}`)
      .join('\n')
  );
}

/** Every plugin type of llm-d, with what the picker does with it. */
export function pluginRows(): string[][] {
  const works = new Set([...SCHEDULING_PLUGINS.keys(), ...unsupported.PROGRAM_PLUGINS, ...FLOW_CONTROL_PLUGINS]);
  const own = [...works].filter((type) => !PLUGIN_CATALOGUE.has(type)).map((type) => [`\`${type}\``, 'of this picker', 'works']);
  const known = [...PLUGIN_CATALOGUE.values()].map(({ type, kinds, stability, why, instead }) => {
    if (!works.has(type) && (why === undefined || instead === undefined)) throw new Error(`nothing says why ${type} is left out`);
    const state = works.has(type) ? 'works' : `refused: ${why}. Instead: ${instead}`;
    return [`\`${type}\``, `${kinds.join(', ')}${stability === 'beta' ? '' : ` (${stability})`}`, state];
  });
  const isRefused = (row: readonly string[]): number => Number(row[2] !== 'works');
  return [...own, ...known].sort((a, b) => isRefused(a) - isRefused(b));
}
