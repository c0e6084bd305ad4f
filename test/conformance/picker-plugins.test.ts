import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OWN_PLUGINS, PLUGIN_CATALOGUE } from '../../src/picker-config/plugin-catalogue';
import { describeWith } from '../components/describe-with';

/** In the sources of 0.10, though the program does not register them. */
const UNREGISTERED = ['sglanghttp-parser', 'local-syncer'];

describeWith(['epp'], "the catalogue of plugins and the reference's own registry", ({ epp }) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugins-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the reference says of a configuration with these types and behind them one that nobody has: it refuses the first that it lacks. */
  function verdict(types: readonly string[], ...flags: string[]): string {
    const endpoints = join(folder, 'endpoints.yaml');
    writeFileSync(endpoints, 'endpoints: []');
    const discovery = { name: 'discovery', type: 'file-discovery', parameters: { path: endpoints } };
    const listed = [...types, 'no-such-type'].map((type, index) => ({ name: `plugin-${index}`, type }));
    const config = {
      ...{ apiVersion: 'llm-d.ai/v1alpha1', kind: 'EndpointPickerConfig', plugins: [discovery, ...listed] },
      dataLayer: { discovery: { pluginRef: 'discovery' } },
    };
    const args = ['--pool-name=p', `--config-text=${JSON.stringify(config)}`, '--tracing=false', ...flags];
    const { stdout, stderr, error } = spawnSync(epp, args, { encoding: 'utf8', timeout: 60_000 });
    if (error !== undefined) throw error;
    return /"error":"(.*?)","stacktrace/.exec(`${stdout}${stderr}`)?.[1] ?? `${stdout}${stderr}`;
  }

  const types = [...PLUGIN_CATALOGUE.keys()].filter((type) => !UNREGISTERED.includes(type));

  test('the reference has every type of the catalogue', () => {
    expect(verdict(types, '--allow-experimental-plugins')).toContain("plugin type 'no-such-type' is not registered");
  });

  test.each([...UNREGISTERED, ...OWN_PLUGINS.keys()])('the reference lacks %s', (type) => {
    expect(verdict([type], '--allow-experimental-plugins')).toContain(`plugin type '${type}' is not registered`);
  });
});
