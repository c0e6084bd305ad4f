import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../components/describe-with';
import { pickerFlags, writePickerFiles } from '../components/picker-files';
import { eventually, freePorts, startProcess } from '../components/process';
import { destinationOf, ExtProcClient } from '../integration/picker-program/ext-proc-client';
import { buildPicker, fileModeFlags, metricsEngine, startPicker } from '../integration/picker-program/start-picker';

interface Load {
  readonly waiting: number;
  readonly kvUsageRatio: number;
}

const load = (waiting: number, kvUsageRatio: number): Load => ({ waiting, kvUsageRatio });

/** Loads of three engines with one best under queue 2, KV cache 2: the queue scores `(max - q) / (max - min)`, the cache `1 - usage`. */
const LOADS: readonly (readonly [string, readonly [Load, Load, Load], best: number])[] = [
  ['the shortest queue', [load(5, 0.2), load(0, 0.2), load(9, 0.2)], 1],
  ['the emptiest cache', [load(3, 0.9), load(3, 0.8), load(3, 0.1)], 2],
  ['a short queue before an emptier cache', [load(0, 0.6), load(9, 0.1), load(9, 0.2)], 0],
  ['an emptier cache before a slightly shorter queue', [load(4, 0.95), load(5, 0.05), load(10, 0.5)], 1],
  ['the whole of both', [load(2, 0.5), load(3, 0.6), load(1, 0.45)], 2],
  ['a full cache avoided', [load(0, 1), load(1, 0), load(100, 0)], 1],
];

/** Long enough for both pickers to have read every engine's page again (50 ms for the reference, 1 s at most here). */
const SCRAPED_MS = 1_300;
const TEXT = 'The quick brown fox jumps over the lazy dog and thinks about caches. '.repeat(40);

describeWith(['epp'], 'decisions of the picker and of the reference, on the same files and engines', ({ epp }) => {
  const state: Load[] = [load(0, 0), load(0, 0), load(0, 0)];
  const servers: Server[] = [];
  let folder: string;
  let ports: number[];
  let ours: ExtProcClient;
  let theirs: ExtProcClient;

  beforeAll(async () => {
    buildPicker();
    folder = mkdtempSync(join(tmpdir(), 'decisions-'));
    const engines = await Promise.all(
      state.map((_, i) =>
        metricsEngine(
          () => state[i]!.waiting,
          () => state[i]!.kvUsageRatio,
        ),
      ),
    );
    servers.push(...engines.map(({ server }) => server));
    ports = engines.map(({ port }) => port);
    const config = writePickerFiles(folder, ports);
    const picker = await startPicker(fileModeFlags(config));
    const [grpc, health, metrics] = (await freePorts(3)) as [number, number, number];
    await startProcess(epp, { args: pickerFlags(config, { grpc, health, metrics }), ready: { port: grpc } });
    ours = new ExtProcClient(`http://127.0.0.1:${picker.grpcPort}`);
    theirs = new ExtProcClient(`http://127.0.0.1:${grpc}`);
    await eventually('the reference decides', () => choose(theirs, 'first'));
  }, 60_000);

  afterAll(() => {
    ours?.destroy();
    theirs?.destroy();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  async function choose(client: ExtProcClient, content: string): Promise<string | undefined> {
    const stream = client.open();
    stream.chat('m', content);
    const destination = await destinationOf(stream);
    stream.answer('data: [DONE]\n\n');
    stream.end();
    return destination;
  }

  test.each(LOADS)('both choose %s', async (name, loads, best) => {
    loads.forEach((each, i) => {
      state[i] = each;
    });
    await new Promise((resolve) => setTimeout(resolve, SCRAPED_MS));
    const expected = `127.0.0.1:${ports[best]}`;
    for (let i = 0; i < 5; i++) {
      // different from the first byte on, so that no prefix is known
      const content = `${name} ${i} ${Math.random()}`;
      expect([await choose(ours, content), await choose(theirs, content)]).toEqual([expected, expected]);
    }
  });

  test.each([
    ['a body that is no JSON', '/v1/chat/completions', '{"model":', 400],
    ['a body without a model', '/v1/chat/completions', '{"messages":[{"role":"user","content":"hi"}]}', 400],
    ['a chat without messages', '/v1/chat/completions', '{"model":"m"}', 400],
    ['a completion without a prompt', '/v1/completions', '{"model":"m"}', 400],
    ['a chat', '/v1/chat/completions', '{"model":"m","messages":[{"role":"user","content":"hi"}]}', undefined],
  ])('both answer %s in the same way', async (_, path, body, status) => {
    const answers = [ours, theirs].map(async (client) => {
      const stream = client.open();
      stream.post(path, body);
      const reply = await stream.next();
      stream.end();
      return reply?.status;
    });
    expect(await Promise.all(answers)).toEqual([status, status]);
  });

  test('both send a prompt where its prefix was sent, against a little more load', async () => {
    state.fill(load(2, 0.3));
    await new Promise((resolve) => setTimeout(resolve, SCRAPED_MS));
    for (const client of [ours, theirs]) {
      const prompt = `${Math.random()} ${TEXT}`;
      const first = await choose(client, prompt);
      const index = ports.findIndex((port) => first === `127.0.0.1:${port}`);
      state[index] = load(2, 0.7);
      await new Promise((resolve) => setTimeout(resolve, SCRAPED_MS));
      for (let i = 0; i < 5; i++) expect(await choose(client, `${prompt} question ${i}`)).toBe(first);
      state[index] = load(2, 0.3);
    }
  });
});
