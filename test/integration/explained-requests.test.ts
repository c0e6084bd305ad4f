import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePickerFiles } from '../components/picker-files';
import { eventually } from '../components/process';
import { ExtProcClient } from './picker-program/ext-proc-client';
import { buildPicker, fileModeFlags, metricsEngine, type RunningPicker, startPicker } from './picker-program/start-picker';

let folder: string;
const servers: Server[] = [];
const clients: ExtProcClient[] = [];

beforeAll(buildPicker, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explained-'));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

async function started(...flags: string[]): Promise<{ readonly picker: RunningPicker; readonly ports: number[] }> {
  const engines = [await metricsEngine(() => 9), await metricsEngine(() => 1)];
  servers.push(...engines.map(({ server }) => server));
  const ports = engines.map(({ port }) => port);
  const picker = await startPicker([...fileModeFlags(writePickerFiles(folder, ports)), ...flags]);
  await eventually('both engines scraped', async () => {
    const { endpoints } = JSON.parse(await (await page(picker, '/debug/endpoints')).text());
    return endpoints.every(({ scrapes }: { scrapes: number }) => scrapes > 0);
  });
  return { picker, ports };
}

const page = (picker: RunningPicker, path: string): Promise<Response> => fetch(`http://127.0.0.1:${picker.debugPort}${path}`);

/** What the client gets with its answer. */
async function answerHeaders(picker: RunningPicker, headers: Record<string, string>): Promise<Record<string, string>> {
  const client = new ExtProcClient(`http://127.0.0.1:${picker.grpcPort}`);
  clients.push(client);
  const stream = client.open();
  stream.chat('llama', 'hello', headers);
  await stream.next();
  await stream.next();
  stream.answer('data: [DONE]\n\n');
  const reply = await stream.next();
  stream.end();
  return (reply?.set ?? {}) as Record<string, string>;
}

test('a request that asks gets the reasons of its decision, and they can be looked up by its id', async () => {
  const { picker, ports } = await started('--explain-requests');
  const asked = { 'x-request-id': 'id with / and ü', 'x-aig-explain': '1' };
  const decision = JSON.parse((await answerHeaders(picker, asked))['x-aig-decision']!);
  const [idle, busy] = [`127.0.0.1:${ports[1]}`, `127.0.0.1:${ports[0]}`];
  expect(decision).toMatchObject({ chosen: [idle], profile: 'default', verdicts: { kept: 2 } });
  expect(decision.endpoints.map(({ endpoint, scores }: any) => [endpoint, scores['queue-scorer']])).toEqual([
    [idle, [1, 2]],
    [busy, [0, 2]],
  ]);

  const found = await page(picker, `/debug/decisions/${encodeURIComponent(asked['x-request-id'])}`);
  expect(found.status).toBe(200);
  const { requestId, result, explanation } = JSON.parse(await found.text());
  expect([requestId, result]).toEqual([asked['x-request-id'], idle]);
  expect(explanation[0]).toMatchObject({
    endpoint: idle,
    verdict: 'kept',
    chosen: 1,
    inputs: { waiting: 1, inFlight: 0 },
    weights: { 'queue-scorer': 2, 'kv-cache-utilization-scorer': 2, 'prefix-cache-scorer': 3 },
    scores: { 'queue-scorer': 1, 'kv-cache-utilization-scorer': 0.75, 'prefix-cache-scorer': 0 },
    total: 3.5,
  });
  expect((await page(picker, '/debug/decisions/another')).status).toBe(404);

  const unasked = await answerHeaders(picker, { 'x-request-id': 'quiet' });
  expect(unasked).not.toHaveProperty('x-aig-decision');
  await picker.stop();
});

test('whoever asks a picker that does not explain gets an answer without reasons', async () => {
  const { picker } = await started();
  expect(await answerHeaders(picker, { 'x-aig-explain': '1' })).not.toHaveProperty('x-aig-decision');
  await picker.stop();
});
