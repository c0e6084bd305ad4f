import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeEndpoints } from '../components/picker-files';
import { eventually, freePorts } from '../components/process';
import { destinationOf, ExtProcClient, type ExtProcStream } from './picker-program/ext-proc-client';
import {
  buildPicker,
  fileModeFlags,
  metricsEngine,
  type RunningPicker,
  refusedPicker,
  startPicker,
} from './picker-program/start-picker';

let folder: string;
let ports: number[];
const servers: (Server | NetServer)[] = [];
const clients: ExtProcClient[] = [];
const pickers: Replica[] = [];

beforeAll(buildPicker, 60_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'replicas-'));
  const engines = await Promise.all(Array.from({ length: 8 }, () => metricsEngine(() => 0)));
  servers.push(...engines.map(({ server }) => server));
  ports = engines.map(({ port }) => port);
  writeEndpoints(join(folder, 'endpoints.yaml'), ports);
  writeFileSync(
    join(folder, 'config.yaml'),
    `apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: file-discovery, parameters: {path: ${join(folder, 'endpoints.yaml')}}}]
dataLayer: {discovery: {pluginRef: file-discovery}}
`,
  );
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(pickers.splice(0).map(({ picker }) => picker.stop('SIGKILL')));
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

/** A picker that runs, and what is asked of it. */
class Replica {
  public readonly client: ExtProcClient;

  public constructor(public readonly picker: RunningPicker) {
    this.client = new ExtProcClient(`http://127.0.0.1:${picker.grpcPort}`);
    clients.push(this.client);
  }

  /** Sends a request that stays under way; the port of the engine that it went to, and the stream. */
  public async ask(prompt: string): Promise<{ readonly port: number; readonly stream: ExtProcStream }> {
    const stream = this.client.open();
    stream.chat('m', prompt);
    return { port: Number((await destinationOf(stream))!.split(':')[1]), stream };
  }

  public async page(path: string): Promise<any> {
    return (await fetch(`http://127.0.0.1:${this.picker.debugPort}${path}`)).json();
  }

  public async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.picker.metricsPort}/metrics`)).text();
  }

  /** Requests that it believes others to have under way. */
  public async heard(): Promise<number> {
    const { endpoints } = await this.page('/debug/endpoints');
    return endpoints.reduce((sum: number, { peerInFlight }: { peerInFlight: number }) => sum + peerInFlight, 0);
  }

  public async scraped(): Promise<void> {
    await eventually('all engines reported', async () =>
      (await this.page('/debug/endpoints')).endpoints.every(({ scrapes }: { scrapes: number }) => scrapes > 0),
    );
  }
}

/** Pickers that tell each other, or each for itself. */
async function replicas(count: number, flagsOf: (peerPorts: readonly number[], index: number) => string[]): Promise<Replica[]> {
  const peerPorts = await freePorts(count);
  const started = await Promise.all(
    peerPorts.map(
      async (_, index) =>
        new Replica(await startPicker([...fileModeFlags(join(folder, 'config.yaml')), ...flagsOf(peerPorts, index)])),
    ),
  );
  pickers.push(...started);
  await Promise.all(started.map((replica) => replica.scraped()));
  return started;
}

/** Every replica is told of all addresses, its own among them, as the DNS of a headless Service does. */
const together = (peerPorts: readonly number[], index: number): string[] => [
  `--peers=${peerPorts.map((port) => `127.0.0.1:${port}`).join(',')}`,
  `--peer-port=${peerPorts[index]}`,
];
const alone = (): string[] => [];

async function connected(all: readonly Replica[]): Promise<void> {
  for (const replica of all) {
    await eventually('all others are told and heard', async () => {
      const { telling, hearing } = await replica.page('/debug/peers');
      const told = telling.filter(({ state }: { state: string }) => state === 'sending').length;
      return told === all.length - 1 && hearing.length === all.length - 1;
    });
  }
}

/** Requests that went to an engine beyond the first: in the best case there are none. */
const excess = (chosen: readonly number[]): number => chosen.length - new Set(chosen).size;

/** Each replica in turn sends its share of one request for each engine; nothing ends meanwhile. */
async function burst(all: readonly Replica[], settle: (index: number) => Promise<void>): Promise<number> {
  const sent: { port: number; stream: ExtProcStream }[] = [];
  for (let index = 0; index < ports.length; index++) {
    sent.push(await all[index % all.length]!.ask(`unique ${Math.random()}`));
    await settle(sent.length);
  }
  for (const { stream } of sent) stream.end();
  return excess(sent.map(({ port }) => port));
}

test.each([2, 3])('%i replicas that tell each other do not send their requests to the same engines', async (count) => {
  const talking = await replicas(count, together);
  await connected(talking);
  const silent = await replicas(count, alone);
  let withPeers = 0;
  let without = 0;
  for (let round = 0; round < 4; round++) {
    withPeers += await burst(talking, async (sent) => {
      for (const replica of talking)
        await eventually('the others know', async () => {
          const { endpoints } = await replica.page('/debug/endpoints');
          return endpoints.reduce((sum: number, each: any) => sum + each.peerInFlight + each.inFlight, 0) === sent;
        });
    });
    for (const replica of talking) await eventually('nothing is under way', async () => (await replica.heard()) === 0);
    without += await burst(silent, async () => {});
  }
  expect(withPeers).toBe(0);
  expect(without).toBeGreaterThan(0);
});

test('what one replica knows of caches, the others know too', async () => {
  const [first, second, third] = (await replicas(3, together)) as [Replica, Replica, Replica];
  await connected([first, second, third]);
  const prompt = 'You are a helpful assistant. '.repeat(200);
  const { port, stream } = await first.ask(prompt);
  stream.answer('data: {"usage":{"prompt_tokens":1400,"completion_tokens":3}}\n\ndata: [DONE]\n\n');
  stream.end();
  for (const other of [second, third]) {
    await eventually('the prompt is known', async () =>
      (await other.metrics()).includes('aig_picker_peer_prefixes_total{result="received"} 1'),
    );
    await eventually('the request is over', async () => (await other.heard()) === 0);
    const again = await other.ask(`${prompt}And now?`);
    expect(again.port).toBe(port);
    again.stream.end();
  }
});

test('a replica that is killed is forgotten in two seconds, and nothing else happens', async () => {
  const [first, second] = (await replicas(2, together)) as [Replica, Replica];
  await connected([first, second]);
  await Promise.all([second.ask('a'), second.ask('b')]);
  await eventually('its requests are heard of', async () => (await first.heard()) === 2);
  await second.picker.stop('SIGKILL');
  await eventually('it is forgotten', async () => (await first.heard()) === 0);
  expect((await first.page('/debug/peers')).hearing).toEqual([]);
  expect(ports).toContain((await first.ask('c')).port);
});

test('a replica that hangs is forgotten, and heard again with what it has under way when it goes on', async () => {
  const [first, second] = (await replicas(2, together)) as [Replica, Replica];
  await connected([first, second]);
  await second.ask('a');
  await eventually('its request is heard of', async () => (await first.heard()) === 1);
  process.kill(second.picker.pid, 'SIGSTOP');
  await eventually('it is forgotten', async () => (await first.heard()) === 0);
  process.kill(second.picker.pid, 'SIGCONT');
  await eventually('it is heard again', async () => (await first.heard()) === 1);
});

/** A way between replicas that can be cut without either side noticing. */
async function way(to: number): Promise<{ readonly port: number; cut(isCut: boolean): void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => into.write(chunk));
      from.on('close', () => into.destroy());
      from.on('error', () => {});
      if (isCut) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return {
    port: (server.address() as { port: number }).port,
    cut: (cut) => {
      isCut = cut;
      for (const socket of sockets) cut ? socket.pause() : socket.resume();
    },
  };
}

test('replicas that are cut off from each other go on alone, and find together again', async () => {
  const peerPorts = await freePorts(2);
  const ways = await Promise.all(peerPorts.map(way));
  const [first, second] = (await replicas(2, (_, index) => [
    `--peers=127.0.0.1:${ways[1 - index]!.port}`,
    `--peer-port=${peerPorts[index]}`,
  ])) as [Replica, Replica];
  await connected([first, second]);
  await second.ask('a');
  await eventually('its request is heard of', async () => (await first.heard()) === 1);
  for (const each of ways) each.cut(true);
  await eventually('the other is forgotten', async () => (await first.heard()) === 0);
  await second.ask('b');
  expect(ports).toContain((await first.ask('c')).port);
  for (const each of ways) each.cut(false);
  await eventually('both requests are heard of', async () => (await first.heard()) === 2);
  await eventually('and the other way round', async () => (await second.heard()) === 1);
});

test('strangers are refused: garbage, and another secret', async () => {
  writeFileSync(join(folder, 'right'), 'a secret that replicas share');
  writeFileSync(join(folder, 'wrong'), 'a secret that nobody shares');
  const [first, second, stranger] = (await replicas(3, (peerPorts, index) => [
    ...together(peerPorts, index),
    `--peer-secret-file=${join(folder, index === 2 ? 'wrong' : 'right')}`,
  ])) as [Replica, Replica, Replica];
  await eventually('the two that share a secret', async () => (await first.page('/debug/peers')).hearing.length === 1);
  await eventually('the refusal', async () =>
    (await first.metrics()).includes('aig_picker_peer_refusals_total{reason="secret"}'),
  );
  await stranger.ask('a');
  await second.ask('b');
  await eventually('only one is believed', async () => (await first.heard()) === 1);

  const port = first.picker.peerPort!;
  const garbage = connect(port, '127.0.0.1');
  garbage.on('error', () => {}).resume();
  garbage.write('GET / HTTP/1.1\r\nhost: picker\r\n\r\n');
  await new Promise((resolve) => garbage.on('close', resolve));
  await eventually('the refusal', async () =>
    (await first.metrics()).includes('aig_picker_peer_refusals_total{reason="garbage"} 1'),
  );
  expect((await first.page('/debug/peers')).hearing).toHaveLength(1);
});

test.each<[string, string[], RegExp]>([
  ['an address without a port', ['--peers=picker-peers'], /AIG521 flag '--peers' has a wrong value \(got 'picker-peers'/],
  ['a secret without peers', ['--peer-secret-file=x'], /AIG523 --peer-secret-file needs --peers/],
  [
    'a secret that is not there',
    ['--peers=a:1', '--peer-secret-file=/none'],
    /AIG530 the file of --peer-secret-file cannot be read/,
  ],
])('%s is refused', async (_, flags, expected) => {
  const { exit, messages } = await refusedPicker([...fileModeFlags(join(folder, 'config.yaml')), ...flags]);
  expect(exit).toBe(1);
  expect(messages).toContainEqual(expect.stringMatching(expected));
});
