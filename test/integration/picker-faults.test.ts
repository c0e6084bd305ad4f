import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { writeEndpoints } from '../components/picker-files';
import { eventually, freePorts, startProcess } from '../components/process';
import { headerMap, struct } from '../fixtures/ext-proc/messages';
import { destinationOf } from './picker-program/ext-proc-client';
import { pickerScene } from './picker-program/picker-scene';
import {
  fileModeFlags,
  logged,
  metricsEngine,
  pickerBundle,
  type RunningPicker,
  refusedPicker,
  startPicker,
} from './picker-program/start-picker';

const sockets: Socket[] = [];
const scene = pickerScene();

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function metric(picker: RunningPicker, name: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${picker.metricsPort}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(page)?.[1]);
}

function residentMb({ pid }: RunningPicker, which = 'VmRSS'): number {
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

const post = { ':method': 'POST', ':path': '/v1/chat/completions', 'content-type': 'application/json' };

describe('a pool without a usable endpoint', () => {
  const noEndpoint = {
    kind: 'immediateResponse',
    status: 503,
    set: { 'content-type': 'application/json', 'x-llm-d-request-dropped-reason': 'rejected-no-endpoints' },
  };

  test('answers 503 with the reason, with and without a body, and recovers with the first endpoint', async () => {
    writeFileSync(join(scene.folder, 'endpoints.yaml'), 'endpoints: []\n');
    const picker = await startPicker(fileModeFlags(scene.config));
    const client = scene.connect(picker.grpcPort);
    const chat = client.open();
    chat.chat('llama', 'hello');
    const refusal = await chat.next();
    expect(refusal).toMatchObject(noEndpoint);
    expect(refusal!.body).toContain(
      'inference error: ServiceUnavailable - failed to find endpoint candidates for serving the request',
    );
    const models = client.open();
    models.send({ requestHeaders: { headers: headerMap({ ':method': 'GET', ':path': '/v1/models' }), endOfStream: true } });
    expect(await models.next()).toMatchObject(noEndpoint);

    writeEndpoints(join(scene.folder, 'endpoints.yaml'), [18_002]);
    await eventually('an endpoint', async () => {
      const stream = client.open();
      stream.chat('llama', 'hello');
      return (await destinationOf(stream)) === '127.0.0.1:18002';
    });
  });

  test('is one whose names have no address: ready are those that have', async () => {
    const names = ['nowhere.invalid', 'elsewhere.invalid'].map(
      (address, i) => `- {name: e${i}, address: ${address}, port: "80"}`,
    );
    writeFileSync(join(scene.folder, 'endpoints.yaml'), `endpoints:\n${names.join('\n')}\n`);
    const picker = await startPicker(fileModeFlags(scene.config));
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('llama', 'hello');
    expect(await stream.next()).toMatchObject(noEndpoint);
    expect(await metric(picker, 'llm_d_epp_ready_endpoints')).toBe(0);
  });

  test('is one of which the proxy allows none', async () => {
    const picker = await startPicker(fileModeFlags(scene.config));
    const hint = { 'x-gateway-destination-endpoint-subset': ['127.0.0.1:9'] };
    const stream = scene.connect(picker.grpcPort).open();
    stream.send({
      requestHeaders: { headers: headerMap(post) },
      metadataContext: { filterMetadata: { 'envoy.lb.subset_hint': struct(hint) } },
    });
    stream.send({ requestBody: { body: Buffer.from('{"model":"m","messages":[{}]}'), endOfStream: true } });
    expect(await stream.next()).toMatchObject(noEndpoint);
  });

  test('is not one whose engines never reported: they are used, as nothing better is known', async () => {
    const ports = [18_003, 18_004, 18_005];
    writeEndpoints(join(scene.folder, 'endpoints.yaml'), ports);
    const picker = await startPicker(fileModeFlags(scene.config));
    const client = scene.connect(picker.grpcPort);
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 60; i++) {
      const stream = client.open();
      stream.chat('llama', `prompt ${i}`);
      seen.add(await destinationOf(stream));
      stream.end();
    }
    expect([...seen].sort()).toEqual(ports.map((port) => `127.0.0.1:${port}`));
  });
});

describe('a body of 100 MB', () => {
  const chunk = Buffer.alloc(64 * 1024, 0x20);

  test('that is announced is refused before it comes', async () => {
    const picker = await startPicker(fileModeFlags(scene.config));
    const stream = scene.connect(picker.grpcPort).open();
    stream.send({ requestHeaders: { headers: headerMap({ ...post, 'content-length': String(100 * 2 ** 20) }) } });
    expect(await stream.next()).toMatchObject({ kind: 'immediateResponse', status: 413 });
    stream.end();
    expect(await stream.ended).toBe('0');
  });

  test('that is not announced, eight times at once, is refused at the limit, and the memory stays bounded', async () => {
    const picker = await startPicker(fileModeFlags(scene.config));
    const beforeMb = residentMb(picker);
    const client = scene.connect(picker.grpcPort);
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const stream = client.open();
        stream.send({ requestHeaders: { headers: headerMap(post) } });
        const answer = stream.next();
        let isOver = false;
        void answer.then(() => {
          isOver = true;
        });
        let sent = 0;
        for (; sent < 1600 && !isOver; sent++) {
          stream.send({ requestBody: { body: chunk } });
          // no faster than the picker reads: this client must not be what runs out of memory
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        return { reply: await answer, sent };
      }),
    );
    for (const { reply } of answers) {
      expect(reply).toMatchObject({ kind: 'immediateResponse', status: 413 });
      expect(JSON.parse(reply!.body!).error.message).toContain(
        'PayloadTooLarge - the request body is larger than 16777216 bytes',
      );
    }
    // 8 bodies of at most 16 MiB, their buffers' growth, and what the sockets hold
    expect(residentMb(picker, 'VmHWM') - beforeMb).toBeLessThan(8 * 16 * 2 + 150);
    const after = scene.connect(picker.grpcPort).open();
    after.chat('llama', 'hello');
    expect(await destinationOf(after)).toBe('127.0.0.1:18001');
  }, 60_000);

  test('is allowed where --max-body says so', async () => {
    const picker = await startPicker([...fileModeFlags(scene.config), '--max-body=32Mi']);
    const stream = scene.connect(picker.grpcPort).open();
    stream.send({ requestHeaders: { headers: headerMap(post) } });
    const text = 'x'.repeat(64 * 1024);
    stream.send({ requestBody: { body: Buffer.from('{"model":"m","messages":["') } });
    for (let i = 0; i < 300; i++) stream.send({ requestBody: { body: Buffer.from(text) } });
    stream.send({ requestBody: { body: Buffer.from('"]}'), endOfStream: true } });
    expect(await destinationOf(stream)).toBe('127.0.0.1:18001');
    let echoed = 0;
    for (;;) {
      const reply = (await stream.next())!;
      expect(reply.piece!.length).toBeLessThanOrEqual(62_000);
      echoed += reply.piece!.length;
      if (reply.endOfStream) break;
    }
    expect(echoed).toBe(300 * text.length + 26 + 3);
  }, 60_000);
});

describe('what is malformed', () => {
  test('is counted, and is in the log of decisions', async () => {
    const picker = await startPicker(fileModeFlags(scene.config));
    const stream = scene.connect(picker.grpcPort).open();
    stream.post('/v1/chat/completions', '{"model":');
    expect(await stream.next()).toMatchObject({ kind: 'immediateResponse', status: 400 });
    expect(await metric(picker, 'llm_d_epp_request_total')).toBe(1);
    expect(await metric(picker, 'llm_d_epp_request_error_total')).toBe(1);
    const page = await (await fetch(`http://127.0.0.1:${picker.debugPort}/debug/decisions`)).json();
    expect((page as { decisions: object[] }).decisions).toMatchObject([{ result: 'bad-request' }]);
  });

  test('ends its own stream; others of the connection go on', async () => {
    const picker = await startPicker(fileModeFlags(scene.config));
    const client = scene.connect(picker.grpcPort);
    const good = client.open();
    good.send({ requestHeaders: { headers: headerMap(post) } });
    const bad = client.open();
    bad.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    bad.end();
    expect(await bad.ended).toBe('3');
    good.send({ requestBody: { body: Buffer.from('{"model":"m","messages":[{}]}'), endOfStream: true } });
    expect(await destinationOf(good)).toBe('127.0.0.1:18001');
  });

  test.each([
    ['no HTTP at all', (socket: Socket) => socket.end('\0\0garbage\r\n\r\n')],
    ['half a line', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-le')],
    ['no metrics', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"a": 1}\n')],
    [
      'numbers that are none',
      (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\nvllm:num_requests_waiting{} ${'9'.repeat(5000)}\n`),
    ],
    ['a page without an end', (socket: Socket) => endless(socket)],
  ])(
    'in place of an engine’s metrics, %s, costs that engine its report and nobody else',
    async (_what, answer) => {
      const rogue = createServer((socket) => {
        socket.on('error', () => {});
        sockets.push(socket);
        socket.once('data', () => answer(socket));
      });
      await new Promise<void>((resolve) => rogue.listen(0, '127.0.0.1', resolve));
      const { port, server } = await metricsEngine(() => 3);
      scene.closeLater(server);
      writeEndpoints(join(scene.folder, 'endpoints.yaml'), [(rogue.address() as AddressInfo).port, port]);
      const picker = await startPicker(fileModeFlags(scene.config));
      await eventually('the good report', async () => (await debugEndpoints(picker))[1]!.waiting === 3);
      await eventually('the failure', async () => (await debugEndpoints(picker))[0]!.scrapeFailures > 0);
      expect((await debugEndpoints(picker))[1]!.scrapeFailures).toBe(0);
      const stream = scene.connect(picker.grpcPort).open();
      stream.chat('llama', 'hello');
      expect(await destinationOf(stream)).toMatch(/^127\.0\.0\.1:\d+$/);
      rogue.close();
    },
    30_000,
  );
});

test('without a file descriptor left it serves those that have one, and others when one is free', async () => {
  const picker = await startPicker(fileModeFlags(scene.config), '/usr/bin/prlimit', ['--nofile=64', process.execPath]);
  const client = scene.connect(picker.grpcPort);
  const first = client.open();
  first.chat('llama', 'hello');
  expect(await destinationOf(first)).toBe('127.0.0.1:18001');
  for (let i = 0; i < 100; i++) sockets.push(connectSocket(picker.grpcPort, '127.0.0.1').on('error', () => {}));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const second = client.open();
  second.chat('llama', 'hello');
  expect(await destinationOf(second)).toBe('127.0.0.1:18001');
  for (const socket of sockets.splice(0)) socket.destroy();
  await eventually('another connection', async () => {
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('llama', 'hello');
    return (await destinationOf(stream)) === '127.0.0.1:18001';
  });
});

test('with a full disk under its log it serves, and ends in order', async () => {
  const [grpc, health, metrics] = (await freePorts(3)) as [number, number, number];
  const flags = fileModeFlags(scene.config).join(' ').replace('--grpc-port 0 --grpc-health-port 0 --metrics-port 0', '');
  const ports = `--grpc-port ${grpc} --grpc-health-port ${health} --metrics-port ${metrics}`;
  const running = await startProcess('/bin/sh', {
    args: ['-c', `exec '${process.execPath}' '${pickerBundle}' ${flags} ${ports} --drain-timeout 1s >/dev/full 2>&1`],
    ready: { port: grpc },
  });
  const client = scene.connect(grpc);
  for (let i = 0; i < 3; i++) {
    const stream = client.open();
    // each is an error that is logged
    const bad = client.open();
    bad.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(await bad.ended).toBe('3');
    stream.chat('llama', 'hello');
    expect(await destinationOf(stream)).toBe('127.0.0.1:18001');
    stream.end();
  }
  await running.stop('SIGTERM', 10_000);
  expect(await running.exited).toBe(0);
});

describe('the configuration', () => {
  test("is taken in the reference's older apiVersion, with a word about it", async () => {
    writeFileSync(
      scene.config,
      readFileSync(scene.config, 'utf8').replace('llm-d.ai/v1alpha1', 'inference.networking.x-k8s.io/v1alpha1'),
    );
    const picker = await startPicker([...fileModeFlags(scene.config), '-v=2']);
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('llama', 'hello');
    expect(await destinationOf(stream)).toBe('127.0.0.1:18001');
    expect(logged(picker).map(({ msg }) => msg)).toContainEqual(expect.stringContaining('apiVersion'));
  });

  test('may be text on the command line', async () => {
    const flags = fileModeFlags(scene.config).filter((flag) => flag !== '--config-file' && flag !== scene.config);
    const picker = await startPicker([...flags, '--config-text', readFileSync(scene.config, 'utf8')]);
    expect(picker.endpoints).toBe(1);
  });

  test('of no YAML is refused with its place', async () => {
    writeFileSync(scene.config, 'apiVersion: [llm-d.ai\n');
    const { exit, messages } = await refusedPicker(fileModeFlags(scene.config));
    expect(exit).toBe(1);
    expect(messages).toEqual([expect.stringMatching(/AIG50\d .*epp\.yaml:\d+:\d+\]$/)]);
  });

  test('is explained decision by decision: every scorer’s value, and the filter that removed an endpoint', async () => {
    const { port, server } = await metricsEngine(() => 3);
    scene.closeLater(server);
    writeFileSync(
      join(scene.folder, 'endpoints.yaml'),
      `endpoints:\n- {name: a, address: 127.0.0.1, port: "${port}", labels: {gpu: h100}}\n- {name: b, address: 127.0.0.1, port: "18009"}\n`,
    );
    writeFileSync(
      scene.config,
      readFileSync(scene.config, 'utf8')
        .replace('plugins:\n', 'plugins:\n- {type: label-selector-filter, parameters: {matchLabels: {gpu: h100}}}\n')
        .replace('  plugins:\n', '  plugins:\n  - {pluginRef: label-selector-filter}\n'),
    );
    const picker = await startPicker(fileModeFlags(scene.config));
    const page = async () =>
      (await (await fetch(`http://127.0.0.1:${picker.debugPort}/debug/decisions`)).json()) as {
        decisions: { result: string; explanation?: Record<string, unknown>[] }[];
      };
    await page();
    const stream = scene.connect(picker.grpcPort).open();
    stream.chat('llama', 'hello');
    expect(await destinationOf(stream)).toBe(`127.0.0.1:${port}`);
    const [decision] = (await page()).decisions;
    expect(decision!.explanation).toMatchObject([
      {
        endpoint: `127.0.0.1:${port}`,
        verdict: 'kept',
        scores: {
          'queue-scorer': expect.any(Number),
          'kv-cache-utilization-scorer': expect.any(Number),
          'prefix-cache-scorer': expect.any(Number),
        },
      },
      { endpoint: '127.0.0.1:18009', verdict: 'label-selector-filter', scores: {} },
    ]);
  });
});

async function debugEndpoints(picker: RunningPicker): Promise<{ waiting: number; scrapeFailures: number }[]> {
  const page = await (await fetch(`http://127.0.0.1:${picker.debugPort}/debug/endpoints`)).json();
  return (page as { endpoints: { waiting: number; scrapeFailures: number }[] }).endpoints;
}

function endless(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  const write = (): void => {
    while (!socket.destroyed && socket.write('# nothing\n'.repeat(1000)));
    if (!socket.destroyed) socket.once('drain', write);
  };
  write();
}
