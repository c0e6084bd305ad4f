import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scoring } from '../../../src/constructs/values/scoring';
import { type EndpointPickerConfig, formatEndpointPickerConfig } from '../../../src/picker-config/endpoint-picker-config';
import { describeWith } from '../../components/describe-with';
import { freePorts, startProcess } from '../../components/process';
import { EVERY_CHOOSER, EVERY_PLUGIN } from '../../unit/constructs/picker/every-plugin';

/** The configuration with endpoints from a file, so that the picker needs no Kubernetes. */
function withoutKubernetes(config: EndpointPickerConfig, folder: string): string {
  const path = join(folder, 'endpoints.yaml');
  writeFileSync(path, 'endpoints:\n- {name: engine, address: 127.0.0.1, port: "8000"}\n');
  return formatEndpointPickerConfig({
    ...config,
    plugins: [...config.plugins, { name: 'file-discovery', type: 'file-discovery', parameters: { path } }],
    dataLayer: { ...config.dataLayer, discovery: 'file-discovery' },
  });
}

describeWith(['epp'], "llm-d's picker reads the configurations of scorings", ({ epp }) => {
  const run = async (config: EndpointPickerConfig) => {
    const folder = mkdtempSync(join(tmpdir(), 'llmd-plugins-'));
    const file = join(folder, 'config.yaml');
    writeFileSync(file, withoutKubernetes(config, folder));
    const [grpc, health, metrics] = await freePorts(3);
    const ports = [`--grpc-port=${grpc}`, `--grpc-health-port=${health}`, `--metrics-port=${metrics}`];
    const flags = [
      '--pool-name=llama-pool',
      '--secure-serving=false',
      '--tracing=false',
      '--metrics-endpoint-auth=false',
      '--v=1',
    ];
    return startProcess(epp, { args: [...flags, ...ports, `--config-file=${file}`], ready: { port: grpc! } });
  };

  it.each([
    ['every factory', EVERY_PLUGIN],
    ['every other chooser', EVERY_CHOOSER[0]!],
    ['and the last one', EVERY_CHOOSER[1]!],
    ['Scoring.gpuAware()', Scoring.gpuAware()],
  ])('%s', async (_, scoring) => {
    const picker = await run(scoring._config()!);
    expect(picker.output()).not.toMatch(/"level":"error"|failed to/);
    await picker.stop();
  });

  it('and ends with an error for one that it does not have', async () => {
    const config = EVERY_PLUGIN._config()!;
    await expect(
      run({ ...config, plugins: config.plugins.map((plugin) => ({ ...plugin, type: `${plugin.type}s` })) }),
    ).rejects.toThrow(/'decode-filters' is not registered/);
  });
});
