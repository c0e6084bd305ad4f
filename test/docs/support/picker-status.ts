import { readFileSync } from 'node:fs';
import path from 'node:path';
import { unsupportedParts, unsupportedSections } from '../../../src/picker/program/unsupported';
import { EMPTY_ENDPOINT_PICKER_CONFIG, type EndpointPickerConfig } from '../../../src/picker-config/endpoint-picker-config';
import { parsePickerPolicy } from '../../../src/picker-config/picker-policy-parser';
import { ROOT } from './pages';

/** A configuration with every part that the picker may lack. */
const FULL_CONFIG: EndpointPickerConfig = {
  ...EMPTY_ENDPOINT_PICKER_CONFIG,
  featureGates: { ...EMPTY_ENDPOINT_PICKER_CONFIG.featureGates, flowControl: true },
  dataLayer: { ...EMPTY_ENDPOINT_PICKER_CONFIG.dataLayer, peerDiscovery: 'peers', crossReplicaSyncer: 'syncer' },
};

/** What the picker refuses by name, asked of the picker itself: a list of its own messages. */
export function pickerStatus(): string {
  const { policy } = parsePickerPolicy(
    readFileSync(path.join(ROOT, 'test/fixtures/policy/good-full.yaml'), 'utf8'),
    'policy.yaml',
  );
  if (policy === undefined) throw new Error('good-full.yaml does not parse');
  return [...unsupportedSections(policy, String), ...unsupportedParts(FULL_CONFIG, String)]
    .map(({ what }) => `- ${what}`)
    .join('\n');
}
