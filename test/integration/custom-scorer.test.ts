import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { Scorer, Scoring } from '../../src';
import { writeEndpoints } from '../components/picker-files';
import { eventually } from '../components/process';
import { type Synthesized, synthExample } from '../support/examples';
import { aPicker, containerOf } from '../unit/constructs/picker/support';
import { destinationOf, ExtProcClient } from './picker-program/ext-proc-client';
import {
  buildPicker,
  fileModeFlags,
  logged,
  metricsEngine,
  type RunningPicker,
  refusedPicker,
  startPicker,
} from './picker-program/start-picker';

let folder: string;
const servers: Server[] = [];
const clients: ExtProcClient[] = [];

beforeAll(buildPicker, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'custom-scorer-'));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

/** The files of a picker as the manifests give them to its pod, with endpoints that are on this machine. */
function podFiles(objects: readonly any[], ports: readonly number[]): string[] {
  const dataOf = (key: string): string =>
    objects.find((object) => object.kind === 'ConfigMap' && object.data?.[key] !== undefined).data[key];
  const config = parse(dataOf('config.yaml'));
  const endpoints = join(folder, 'endpoints.yaml');
  writeEndpoints(endpoints, ports);
  config.plugins.push({ type: 'file-discovery', parameters: { path: endpoints } });
  config.dataLayer = { discovery: { pluginRef: 'file-discovery' } };
  writeFileSync(join(folder, 'config.yaml'), stringify(config));
  writeFileSync(join(folder, 'plugins.cjs'), dataOf('plugins.cjs'));
  return [...fileModeFlags(join(folder, 'config.yaml')), `--plugin-file=${join(folder, 'plugins.cjs')}`];
}

async function engines(...kvUsageRatios: number[]): Promise<number[]> {
  const made = await Promise.all(
    kvUsageRatios.map((kvUsageRatio) =>
      metricsEngine(
        () => 0,
        () => kvUsageRatio,
      ),
    ),
  );
  servers.push(...made.map(({ server }) => server));
  return made.map(({ port }) => port);
}

async function choice(picker: RunningPicker, prompt = 'hello'): Promise<string | undefined> {
  const client = new ExtProcClient(`http://127.0.0.1:${picker.grpcPort}`);
  clients.push(client);
  const stream = client.open();
  stream.chat('m', prompt);
  return destinationOf(stream);
}

const page = async (port: number, path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

async function scraped(picker: RunningPicker): Promise<void> {
  await eventually('reports of the engines', async () =>
    JSON.parse(await page(picker.debugPort!, '/debug/endpoints')).endpoints.every((each: any) => each.kvBlocks > 0),
  );
}

test('the manifests of the example bring a scorer that the picker runs: it decides, and is explained', async () => {
  const { objects } = synthExample('custom-scorer');
  const deployment = objects.find(
    ({ kind, metadata }: Synthesized) => kind === 'Deployment' && metadata.name.endsWith('-picker'),
  );
  const { args } = containerOf(deployment);
  expect(args).toContain('--plugin-file=/etc/picker-plugins/plugins.cjs');
  const [full, roomy] = await engines(0.7, 0.1);
  const picker = await startPicker(podFiles(objects, [full!, roomy!]));
  await scraped(picker);
  await page(picker.debugPort!, '/debug/decisions');
  expect(await choice(picker)).toBe(`127.0.0.1:${roomy}`);
  const { decisions } = JSON.parse(await page(picker.debugPort!, '/debug/decisions'));
  const [best] = decisions[0].explanation;
  // 16,000 tokens of cache, a tenth in use, 2,048 in reserve
  expect(best.scores['headroom-scorer']).toBeCloseTo((16_000 - 1_600 - 2_048) / 16_000, 2);
  expect(best.weights).toMatchObject({ 'headroom-scorer': 2, 'queue-scorer': 1, 'prefix-cache-scorer': 3 });
  await picker.stop();
});

const FAULTY = `
const of = (type, create) => ({ contract: 1, kind: 'scorer', type, create });
exports.throwing = of('throwing-scorer', () => () => { throw new Error('no tier in my table'); });
exports.nan = of('nan-scorer', () => () => NaN);
exports.high = of('high-scorer', () => (_request, { kvUsageRatio }) => (kvUsageRatio < 0.5 ? 9 : 0));
`;

test('scorers that throw or give nonsense cost no request: the others decide, and log and metrics say it', async () => {
  writeFileSync(join(folder, 'faulty.js'), FAULTY);
  const scoring = Scoring.of(...['throwing-scorer', 'nan-scorer', 'high-scorer'].map((type) => Scorer.custom(type)));
  const { objects } = aPicker({ plugins: [join(folder, 'faulty.js')], scoring });
  const [full, roomy] = await engines(0.7, 0.1);
  const picker = await startPicker(podFiles(objects(), [full!, roomy!]));
  await scraped(picker);
  for (let count = 0; count < 5; count++) expect(await choice(picker)).toBe(`127.0.0.1:${roomy}`);
  const metrics = await page(picker.metricsPort, '/metrics');
  for (const [name, fault] of [
    ['throwing-scorer', 'throw'],
    ['nan-scorer', 'not-a-number'],
    ['high-scorer', 'out-of-range'],
  ])
    expect(metrics).toContain(`aig_picker_custom_plugin_faults_total{plugin_name="${name}",fault="${fault}"} 5`);
  await eventually('the log', () => picker.output().includes("scorer 'throwing-scorer' misbehaves: throw (no tier in my table)"));
  expect(logged(picker).filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  await picker.stop();
});

test.each<[string, string | undefined, RegExp]>([
  ['that is not there', undefined, /AIG532 the file of --plugin-file cannot be loaded: ENOENT/],
  ['that fails while it loads', "throw new Error('boom')", /AIG532 the file of --plugin-file cannot be loaded: boom/],
  ['without a plugin', 'exports.x = 1', /AIG532 the file exports no plugin/],
  [
    'of another version',
    "exports.x = {contract: 99, kind: 'scorer', type: 'a', create() {}}",
    /AIG532 plugin 'a' was made for another version/,
  ],
])('a plugin file %s ends the start, with the reason', async (_, text, expected) => {
  const { objects } = synthExample('custom-scorer');
  const flags = podFiles(objects, [1]);
  const file = join(folder, 'plugins.cjs');
  if (text === undefined) rmSync(file);
  else writeFileSync(file, text);
  const { exit, messages } = await refusedPicker(flags);
  expect(exit).toBe(1);
  expect(messages).toContainEqual(expect.stringMatching(expected));
});

test('a changed configuration finds the plugins of the start', async () => {
  const { objects } = synthExample('custom-scorer');
  const [full, roomy] = await engines(0.7, 0.1);
  const picker = await startPicker(podFiles(objects, [full!, roomy!]));
  const path = join(folder, 'config.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace('reserveTokens: 2048', 'reserveTokens: 0'));
  await eventually('the new configuration', () => picker.output().includes('the changed configuration is in force'));
  await scraped(picker);
  expect(await choice(picker)).toBe(`127.0.0.1:${roomy}`);
  await picker.stop();
});
