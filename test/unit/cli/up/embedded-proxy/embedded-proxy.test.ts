import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { embeddedProxy } from '../../../../../src/cli/up/embedded-proxy/embedded-proxy';
import { PickerConnection } from '../../../../../src/cli/up/embedded-proxy/picker-connection';
import { CONTROL_HEADERS } from '../../../../../src/shared/control-headers';
import { type RunningEngine, runEngine } from '../../../../../src/simulation/engine/run-engine';
import { bundled } from '../../../../components/bundle';
import { eventually, freePorts, type RunningProcess, startProcess } from '../../../../components/process';

/** The embedded proxy between clients, the real picker and simulated engines. */
describe('the embedded proxy', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'embedded-proxy-'));
  const engines = new Map<string, RunningEngine>();
  let echo: Server;
  let slow: Server;
  let slowClosed = 0;
  let seen: IncomingHttpHeaders = {};
  let seenBody = '';
  let picker: RunningProcess;
  let connection: PickerConnection;
  let proxy: Server;
  let port: number;
  let endpoints: Record<string, string[]>;

  const file = (pool: string, ports: readonly number[]): void =>
    writeFileSync(
      path.join(folder, `${pool}.yaml`),
      JSON.stringify({ endpoints: ports.map((p, i) => ({ name: `${pool}-${i}`, address: '127.0.0.1', port: String(p) })) }),
    );

  beforeAll(async () => {
    for (const name of ['llama-0', 'llama-1']) {
      engines.set(name, await runEngine({ models: ['llama'], podName: name, speed: 20, meanOutputTokens: 20 }));
    }
    echo = createServer((incoming, answer) => {
      // the picker asks for metrics
      if (incoming.method !== 'POST') {
        answer.writeHead(404).end();
        return;
      }
      seen = incoming.headers;
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', () => {
        seenBody = Buffer.concat(chunks).toString();
        answer.setHeader('content-type', 'application/json').end('{"object":"chat.completion"}');
      });
    });
    slow = createServer((incoming, answer) => {
      incoming.resume();
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => answer.write('data: {"object":"chat.completion.chunk"}\n\n'), 10);
      answer.on('close', () => {
        slowClosed++;
        clearInterval(timer);
      });
    });
    for (const server of [echo, slow]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const portOf = (server: Server): number => (server.address() as AddressInfo).port;
    const ports = {
      llama: [...engines.values()].map((engine) => engine.port),
      echo: [portOf(echo)],
      slow: [portOf(slow)],
      empty: [],
    };
    endpoints = Object.fromEntries(Object.entries(ports).map(([name, list]) => [name, list.map((p) => `127.0.0.1:${p}`)]));
    for (const [name, list] of Object.entries(ports)) file(name, list);
    writeFileSync(
      path.join(folder, 'policy.yaml'),
      JSON.stringify({
        apiVersion: 'cdk8s-ai-gateway.dev/v1alpha1',
        kind: 'PickerPolicy',
        pools: Object.keys(ports).map((name) => ({ name, endpoints: { file: { path: path.join(folder, `${name}.yaml`) } } })),
        models: Object.keys(ports).map((name) => ({
          name,
          targets: [{ pool: name, ...(name === 'echo' ? { model: 'behind-the-scenes' } : {}) }],
        })),
      }),
    );
    const [grpc, health, metrics] = (await freePorts(3)) as [number, number, number];
    picker = await startProcess(process.execPath, {
      args: [
        bundled('picker/main.ts'),
        `--policy-file=${path.join(folder, 'policy.yaml')}`,
        ...['--secure-serving=false', '--bind-address=127.0.0.1', '--debug-address=off', '--drain-timeout=1s'],
        ...[`--grpc-port=${grpc}`, `--grpc-health-port=${health}`, `--metrics-port=${metrics}`],
      ],
      ready: /endpoint picker is serving/,
    });
    connection = new PickerConnection(grpc);
    proxy = embeddedProxy({
      routes: [
        {
          match: { pathType: 'PathPrefix', path: '/v1', headers: [] },
          targets: [{ weight: 1, picker: connection, endpoints: undefined }],
        },
      ],
      poolEndpoints: (pool) => endpoints[pool],
      addHeaders: [['x-verified-by', 'gateway']],
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    port = portOf(proxy);
  }, 60_000);

  afterAll(async () => {
    proxy?.closeAllConnections();
    proxy?.close();
    connection?.close();
    await picker?.stop();
    for (const engine of engines.values()) await engine.close();
    for (const server of [echo, slow]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const chat = (model: string, more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
    send(port, 'POST', '/v1/chat/completions', headers, { model, messages: [{ role: 'user', content: 'hello' }], ...more });

  test('an answer comes from an engine of the pool that the picker chose', async () => {
    const answer = await chat('llama');
    expect([answer.status, answer.headers['x-inference-pod']]).toEqual([200, expect.stringMatching(/^llama-[01]$/)]);
    expect(JSON.parse(answer.body)).toMatchObject({ object: 'chat.completion', model: 'llama' });
  });

  test('a stream comes event by event, to its end', async () => {
    const answer = await chat('llama', { stream: true });
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.body.split('\n\n').filter((event) => event.startsWith('data: {')).length).toBeGreaterThan(1);
    expect(answer.body.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  test('an unknown model gets the 404 of the picker, in the API’s shape', async () => {
    const answer = await chat('gpt-9');
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/json']);
    expect(JSON.parse(answer.body).error.message).toContain('llama');
  });

  test('a request without a body is answered', async () => {
    const answer = await send(port, 'GET', '/v1/models');
    expect(JSON.parse(answer.body).data.map(({ id }: { id: string }) => id)).toContain('llama');
  });

  test('the engine gets the body as the picker changed it, and no control header', async () => {
    const forged = Object.fromEntries(CONTROL_HEADERS.map((header) => [header, 'forged']));
    expect((await chat('echo', {}, { ...forged, 'x-request-id': 'kept' })).status).toBe(200);
    expect(JSON.parse(seenBody).model).toBe('behind-the-scenes');
    expect(Number(seen['content-length'])).toBe(Buffer.byteLength(seenBody));
    expect(CONTROL_HEADERS.filter((header) => header in seen)).toEqual([]);
    expect([seen['x-request-id'], seen['x-verified-by'], seen.host]).toEqual(['kept', 'gateway', `127.0.0.1:${port}`]);
  });

  test('a body of megabytes arrives whole', async () => {
    const content = 'x'.repeat(3 << 20);
    await chat('echo', { messages: [{ role: 'user', content }] });
    expect(JSON.parse(seenBody).messages[0].content).toHaveLength(content.length);
  });

  test('a path that no route has is not found, and the picker is not asked', async () => {
    expect((await send(port, 'GET', '/other')).status).toBe(404);
  });

  test('a pool without endpoints is answered with 503', async () => {
    expect((await chat('empty')).status).toBe(503);
  });

  test('a client that goes away ends the request at the engine', async () => {
    const before = slowClosed;
    await new Promise<void>((resolve, reject) => {
      const outgoing = request(
        {
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/v1/chat/completions',
          headers: { 'content-type': 'application/json' },
        },
        (incoming: IncomingMessage) => {
          incoming.on('error', () => undefined);
          incoming.once('data', () => {
            outgoing.destroy();
            resolve();
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify({ model: 'slow', stream: true, messages: [{ role: 'user', content: 'hello' }] }));
    });
    await eventually('the engine’s connection is closed', () => slowClosed > before);
  });

  test('half a request is no reason to answer or to fall over', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"model"');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await chat('llama')).status).toBe(200);
  });

  test('when an engine is gone, the next one of its pool answers', async () => {
    await engines.get('llama-0')!.close();
    for (let attempt = 0; attempt < 10; attempt++) {
      const answer = await chat('llama');
      expect([answer.status, answer.headers['x-inference-pod']]).toEqual([200, 'llama-1']);
    }
  });

  test('without a picker requests fail with 503 at once', async () => {
    await picker.stop();
    expect((await chat('llama')).status).toBe(503);
  });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function send(port: number, method: string, url: string, headers: Record<string, string> = {}, json?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const type =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request({ port, host: '127.0.0.1', method, path: url, headers: { ...type, ...headers } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
