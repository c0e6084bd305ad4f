import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { EndpointChooser, PickerSignal, Scorer, Scoring } from '../../src';
import { parseEndpointState } from '../../src/picker/explain/endpoint-state';
import { formatEndpointPickerConfig } from '../../src/picker-config/endpoint-picker-config';
import { eventually } from '../components/process';
import { destinationOf } from './picker-program/ext-proc-client';
import { pickerScene } from './picker-program/picker-scene';
import { fileModeFlags, startPicker } from './picker-program/start-picker';

const scene = pickerScene();

/** A DCGM exporter beside an engine: it sees one GPU and names no pod. */
async function exporter(address: string, port: number, percent: () => number): Promise<number> {
  const family = 'DCGM_FI_DEV_GPU_UTIL';
  const server: Server = createServer((_request, response) => {
    const head = `# HELP ${family} GPU utilization (in %).\n# TYPE ${family} gauge\n`;
    response.end(`${head}${family}{gpu="0",UUID="GPU-0",modelName="NVIDIA H100 80GB HBM3",Hostname="node"} ${percent()}\n`);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  scene.closeLater(server);
  return (server.address() as AddressInfo).port;
}

test('requests go where the GPUs are idle, when the configuration says so', async () => {
  let first = 90;
  const port = await exporter('127.0.0.2', 0, () => first);
  await exporter('127.0.0.3', port, () => 50);
  const endpoints = ['127.0.0.2', '127.0.0.3'].map((address) => ({ name: `at-${address}`, address, port: '9' }));
  writeFileSync(join(scene.folder, 'endpoints.yaml'), stringify({ endpoints }));

  const algorithm = { type: 'linear_lower_is_better', normalization: { fixedRange: { min: 0, max: 1 } } };
  const config = Scoring.of(
    Scorer.custom('endpoint-attribute-scorer', { attributeKey: 'GPUUtilization/dcgm-extractor', algorithm }),
  )
    .withPicker(EndpointChooser.maxScore())
    .withSignal(PickerSignal.gpuUsage({ port }))
    ._config()!;
  const plugins = [
    ...config.plugins.map((plugin) =>
      plugin.type === 'dcgm-data-source' ? { ...plugin, parameters: { ...plugin.parameters, interval: '20ms' } } : plugin,
    ),
    { name: 'file-discovery', type: 'file-discovery', parameters: { path: join(scene.folder, 'endpoints.yaml') } },
  ];
  const dataLayer = { ...config.dataLayer, discovery: 'file-discovery' };
  writeFileSync(scene.config, formatEndpointPickerConfig({ ...config, plugins, dataLayer }));

  const picker = await startPicker([...fileModeFlags(scene.config), '--allow-experimental-plugins']);
  const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${picker.debugPort}/debug/endpoints`)).text();
  const ratios = async (): Promise<number[]> =>
    JSON.parse(await page()).endpoints.map(({ gpuUsageRatio }: { gpuUsageRatio: number }) => gpuUsageRatio);
  const chosen = async (): Promise<string | undefined> => {
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('m', 'hello');
    return destinationOf(stream);
  };
  await eventually('pages of both exporters', async () => (await ratios()).join() === '0.9,0.5');
  expect(await chosen()).toBe('127.0.0.3:9');
  first = 10;
  await eventually('the next page', async () => (await ratios())[0] === 0.1);
  expect(await chosen()).toBe('127.0.0.2:9');

  // what the page says can be given to `explain` as it stands
  const { states, problems } = parseEndpointState(await page(), 'page.json');
  expect(problems).toEqual([]);
  expect(states.map(({ numbers }) => numbers.gpuUsageRatio)).toEqual([0.1, 0.5]);
  await picker.stop();
});
