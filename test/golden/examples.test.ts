import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { EXAMPLES, type ExampleSwitches, type Synthesized, synthExample } from '../support/examples';

/** Each golden file, with the switches that it was made with. `UPDATE_GOLDEN=1` writes them anew. */
const GOLDENS: readonly (readonly [string, string, ExampleSwitches])[] = [
  ...EXAMPLES.filter((name) => name !== 'guide' && name !== 'minimal').map((name) => [name, 'expected.yaml', {}] as const),
  ['minimal', 'expected.envoy-gateway.yaml', { GATEWAY: 'envoy-gateway' }],
  ['minimal', 'expected.istio.yaml', { GATEWAY: 'istio' }],
  ['minimal', 'expected.kong.yaml', { GATEWAY: 'kong' }],
  ['guide', 'expected.envoy-gateway.yaml', { GATEWAY: 'envoy-gateway' }],
  ['guide', 'expected.istio.yaml', { GATEWAY: 'istio' }],
  ['guide', 'expected.istio-pool.yaml', { GATEWAY: 'istio', ATTACH: 'pool' }],
  ['guide', 'expected.kong.yaml', { GATEWAY: 'kong' }],
  ['guide', 'expected.v1alpha1.yaml', { GATEWAY: 'envoy-gateway', API_GENERATION: 'v1alpha1' }],
];

describe('examples', () => {
  test.each(GOLDENS)('%s synthesizes %s', (name, file, switches) => {
    const golden = path.join(__dirname, '../../examples', name, file);
    const actual = reviewable(synthExample(name, switches).objects);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, actual);
    expect(existsSync(golden)).toBe(true);
    expect(actual).toBe(readFileSync(golden, 'utf8'));
  });

  test('synthesis is deterministic', () => {
    expect(synthExample('guide').text).toBe(synthExample('guide').text);
  });
});

/** The objects as a reviewer wants them: without the program of the picker, which changes with every build. */
function reviewable(objects: readonly Synthesized[]): string {
  const kept = objects.filter((object) => !/-bundle-[0-9a-f]{8}-[1-9]\d*$/.test(object.metadata.name));
  const text = kept
    .map((object) => ('binaryData' in object ? { ...object, binaryData: '<the packed program>', data: '<its loader>' } : object))
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
  return text
    .replace(/(\n +- configMap:\n +name: [a-z0-9-]+-bundle-[0-9a-f]{8}-[1-9]\d*)+/g, '')
    .replace(/-bundle-[0-9a-f]{8}-0/g, '-bundle-<digest>-0');
}
