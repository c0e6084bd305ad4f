import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { type ChannelOptions, Client, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { buildSync } from 'esbuild';
import * as t from '../../../src/picker/http2/frame-types';
import type { GrpcStream } from '../../../src/picker/http2/grpc';
import { Http2Server, type Http2ServerOptions } from '../../../src/picker/http2/server';
import { eventually, startProcess } from '../../components/process';
import { certificate } from '../../unit/picker/http2/certificate';
import {
  data,
  ECHO,
  echo,
  endStream,
  headers,
  message,
  method,
  parseFrames,
  REQUEST,
  reset,
  settings,
} from '../../unit/picker/http2/peer';

const MIB = 1 << 20;
const keep = (bytes: Buffer) => bytes;
const open: Http2Server[] = [];

async function serve(
  options: Partial<Http2ServerOptions> = {},
): Promise<{ server: Http2Server; port: number; errors: unknown[] }> {
  const errors: unknown[] = [];
  const server = new Http2Server({ methods: [echo()], onError: (error) => errors.push(error), ...options });
  open.push(server);
  await server.listen(0, '127.0.0.1');
  return { server, port: server.address().port, errors };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** Bytes that show where they came from. */
function pattern(bytes: number, seed: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff;
  return buffer;
}

/** A full-duplex dialogue: the next message goes out when the answer to the one before has come back. */
function dialogue(
  client: Client,
  messages: readonly Buffer[],
  path = ECHO,
): Promise<{ answers: Buffer[]; status: StatusObject }> {
  return new Promise((resolve) => {
    const call = client.makeBidiStreamRequest(path, keep, keep, new Metadata());
    const answers: Buffer[] = [];
    const next = () => (answers.length < messages.length ? call.write(messages[answers.length]!) : call.end());
    call.on('data', (answer: Buffer) => {
      answers.push(answer);
      next();
    });
    call.on('error', () => {});
    call.on('status', (ended: StatusObject) => resolve({ answers, status: ended }));
    next();
  });
}

const LARGE: ChannelOptions = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

describe.each([
  ['plain sockets', false],
  ['TLS', true],
])('grpc-js over %s', (_name, overTls) => {
  async function client(options: Partial<Http2ServerOptions> = {}) {
    const pair = await certificate();
    const served = await serve({ ...options, ...(overTls ? { tls: pair } : {}) });
    const channel = overTls ? credentials.createSsl(Buffer.from(pair.cert)) : credentials.createInsecure();
    const made = new Client(`127.0.0.1:${served.port}`, channel, { ...LARGE, 'grpc.ssl_target_name_override': 'localhost' });
    return { ...served, client: made };
  }

  it.each([1, 100, 16_379, 16_384, 65_536, MIB, 8 * MIB])('gets %d bytes back unchanged', async (bytes) => {
    const { client: grpc } = await client();
    const sent = [pattern(bytes, 1), pattern(1, 2), pattern(bytes, 3)];
    const { answers, status: ended } = await dialogue(grpc, sent);
    expect(ended.code).toBe(status.OK);
    expect(answers.map((answer, i) => answer.equals(sent[i]!))).toEqual([true, true, true]);
    grpc.close();
  }, 20_000);

  it('holds 100 dialogues at once on one connection', async () => {
    const { client: grpc, server } = await client();
    const results = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const sent = [pattern(i, i), pattern(i * 700, i + 1), pattern(20, i + 2)];
        const { answers, status: ended } = await dialogue(grpc, sent);
        return ended.code === status.OK && answers.every((answer, at) => answer.equals(sent[at]!));
      }),
    );
    expect(results).toEqual(new Array(100).fill(true));
    expect(server.counters).toMatchObject({
      connectionsTotal: 1,
      streamsTotal: 100,
      streamsOpen: 0,
      messagesReceived: 300,
      messagesSent: 300,
    });
    grpc.close();
  }, 20_000);

  it('is told of an unknown method, a compressed message and an answer of the service', async () => {
    const refusing = method(
      (stream) => ({ onMessage: () => stream.end(status.NOT_FOUND, 'nö: 100% gone'), onHalfClose() {}, onClose() {} }),
      100,
      '/r',
    );
    const { client: grpc } = await client({ methods: [echo(), refusing] });
    expect((await dialogue(grpc, [Buffer.from('x')], '/no/Such')).status).toMatchObject({ code: status.UNIMPLEMENTED });
    expect((await dialogue(grpc, [Buffer.from('x')], '/r')).status).toMatchObject({
      code: status.NOT_FOUND,
      details: 'nö: 100% gone',
    });
    expect((await dialogue(grpc, [pattern(101, 1)], '/r')).status).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    const compressing = new Client(
      grpc.getChannel().getTarget(),
      overTls ? credentials.createSsl() : credentials.createInsecure(),
      {
        'grpc.default_compression_algorithm': 2,
      },
    );
    if (!overTls) expect((await dialogue(compressing, [pattern(1000, 1)])).status).toMatchObject({ code: status.UNIMPLEMENTED });
    compressing.close();
    grpc.close();
  });
});

describe('node:http2', () => {
  let session: ClientHttp2Session;
  const request = { ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc', te: 'trailers' };
  const collect = (stream: ClientHttp2Stream) =>
    new Promise<{ body: Buffer; status: string | undefined }>((resolve, reject) => {
      const chunks: Buffer[] = [];
      let grpcStatus: string | undefined;
      stream.on('response', (fields) => (grpcStatus ??= fields['grpc-status'] as string | undefined));
      stream.on('trailers', (fields) => (grpcStatus = fields['grpc-status'] as string));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('close', () => resolve({ body: Buffer.concat(chunks), status: grpcStatus }));
    });

  it.each([
    0, 100, 103, 104, 200, 4096, 65_536,
  ])('accepts the replies with a header table of %d bytes', async (headerTableSize) => {
    const { port } = await serve();
    session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { headerTableSize } });
    for (let i = 0; i < 3; i++) {
      const stream = session.request(request);
      stream.end(message('again'));
      expect(await collect(stream)).toEqual({ body: message('again'), status: '0' });
    }
    // Changed while connected: the next block has to begin with a size update.
    await new Promise<void>((resolve) => session.settings({ headerTableSize: 0 }, () => resolve()));
    const stream = session.request(request);
    stream.end(message('again'));
    expect(await collect(stream)).toEqual({ body: message('again'), status: '0' });
    session.close();
  });

  it('gets 3 MB back through windows of any size', async () => {
    const { port } = await serve();
    for (const initialWindowSize of [1_000, 65_535, 10 * MIB]) {
      session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { initialWindowSize, maxFrameSize: 65_536 } });
      const stream = session.request(request);
      const sent = message(pattern(3_000_000, 5));
      stream.end(sent);
      const { body, status: grpcStatus } = await collect(stream);
      expect([body.equals(sent), grpcStatus]).toEqual([true, '0']);
      session.close();
    }
  }, 20_000);

  it('measures a round trip by PING', async () => {
    const { port } = await serve();
    session = connectHttp2(`http://127.0.0.1:${port}`);
    await new Promise((resolve) => session.once('connect', resolve));
    const echoed = await new Promise<Buffer>((resolve) =>
      session.ping(Buffer.from('12345678'), (_error, _ms, payload) => resolve(payload)),
    );
    expect(echoed.toString()).toBe('12345678');
    session.close();
  });

  it('finishes its calls during a drain, and is closed then', async () => {
    const parked: GrpcStream[] = [];
    const later = method((stream) => ({ onMessage: () => parked.push(stream), onHalfClose() {}, onClose() {} }));
    const { port, server } = await serve({ methods: [later] });
    session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request(request);
    stream.end(message('x'));
    const result = collect(stream);
    while (parked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const goneAway = new Promise((resolve) => session.once('goaway', resolve));
    const closed = new Promise((resolve) => session.once('close', resolve));
    const drained = server.drain(10_000);
    expect(await goneAway).toBe(0);
    parked[0]!.send(Buffer.from('late'), 0, 4);
    parked[0]!.end(0);
    parked[0]!.flush();
    expect(await result).toEqual({ body: message('late'), status: '0' });
    await Promise.all([drained, closed]);
    await expect(connects(port)).resolves.toBe(false);
    expect(server.counters).toMatchObject({ connections: 0, streamsOpen: 0, connectionErrors: 0 });
  });

  it('is cut off when a drain takes too long', async () => {
    const closes: boolean[] = [];
    const silent = method(() => ({ onMessage() {}, onHalfClose() {}, onClose: (wasReset) => closes.push(wasReset) }));
    const { port, server } = await serve({ methods: [silent] });
    session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    const stream = session.request(request);
    stream.on('error', () => {});
    stream.write(message('x'));
    while (server.counters.messagesReceived === 0) await new Promise((resolve) => setImmediate(resolve));
    await server.drain(50);
    expect([closes, server.counters.connections]).toEqual([[true], 0]);
  });
});

describe('TLS', () => {
  it('changes its certificate for connections to come, and keeps it when the other one is broken', async () => {
    const [first, second] = [await certificate('first'), await certificate('second')];
    const { port, server } = await serve({ tls: first });
    const commonName = () =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
          resolve([socket.getPeerCertificate().subject.CN, socket.getProtocol()]);
          socket.destroy();
        });
        socket.on('error', reject);
      });
    expect(await commonName()).toEqual(['first', 'TLSv1.3']);
    server.updateTls(second.key, second.cert);
    expect(await commonName()).toEqual(['second', 'TLSv1.3']);
    expect(() => server.updateTls(first.key, second.cert)).toThrow();
    expect(() => server.updateTls('nonsense', 'nonsense')).toThrow();
    expect(await commonName()).toEqual(['second', 'TLSv1.3']);
  });

  it('is spoken with ALPN h2 only', async () => {
    const { port, server } = await serve({ tls: await certificate() });
    for (const ALPNProtocols of [['http/1.1'], []]) {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols });
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(server.counters.connectionsTotal).toBe(0);
  });

  it('does not report a probe that only connects', async () => {
    const { port, errors, server } = await serve({ tls: await certificate() });
    const socket = connectTcp(port, '127.0.0.1', () => socket.destroy());
    await new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    expect(errors).toEqual([]);
  });

  it('does not serve plain text, and plain sockets do not serve TLS', async () => {
    const secure = await serve({ tls: await certificate() });
    const plain = await serve();
    const toSecure = connectTcp(secure.port, '127.0.0.1', () => toSecure.write(t.CLIENT_PREFACE));
    toSecure.on('error', () => {});
    const toPlain = connectTls({ port: plain.port, host: '127.0.0.1', ALPNProtocols: ['h2'] });
    toPlain.on('error', () => {});
    await Promise.all([toSecure, toPlain].map((socket) => new Promise((resolve) => socket.resume().once('close', resolve))));
    expect([secure.errors.length, plain.errors.length]).toEqual([1, 1]);
    await expect(connects(plain.port)).resolves.toBe(true);
  });
});

describe('a proxy that ends every stream with RST_STREAM', () => {
  it('gets 50,000 dialogues out of one connection', async () => {
    const { port, server, errors } = await serve();
    const socket = connectTcp(port, '127.0.0.1');
    socket.write(Buffer.concat([t.CLIENT_PREFACE, settings()]));
    let id = 1;
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server has closed the connection')));
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (server.counters.streamsTotal >= 50_000) resolve();
        else if (server.counters.streamsTotal * 2 + 1 === id) send();
      });
      const send = () => {
        const batch: Buffer[] = [];
        for (let i = 0; i < 500; i++, id += 2) batch.push(headers(id), data(id, message('')), endStream(id), reset(id));
        socket.write(Buffer.concat(batch));
      };
      send();
    });
    expect(server.counters).toMatchObject({ streamsTotal: 50_000, streamsOpen: 0, connectionErrors: 0, connectionsTotal: 1 });
    expect([errors, received > 50_000 * 10]).toEqual([[], true]);
    socket.destroy();
  }, 30_000);
});

describe('a connection', () => {
  it('that is not HTTP/2 gets GOAWAY and is closed, and the next one is served', async () => {
    const { port, errors } = await serve();
    const socket = connectTcp(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(parseFrames(Buffer.concat(chunks)).at(-1)!.type).toBe(t.GOAWAY);
    expect(errors).toHaveLength(1);
    await expect(connects(port)).resolves.toBe(true);
  });

  it('that is lost tells every service', async () => {
    const log: string[] = [];
    const { port, server } = await serve({ methods: [echo(log)] });
    const socket = connectTcp(port, '127.0.0.1');
    socket.write(Buffer.concat([t.CLIENT_PREFACE, settings(), headers(1, REQUEST), headers(3, REQUEST)]));
    while (server.counters.streamsOpen < 2) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
    while (server.counters.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect([log, server.counters.streamsOpen]).toEqual([['close by reset', 'close by reset'], 0]);
  });

  it('above the limit is not accepted', async () => {
    const { port, server } = await serve({ limits: { maxConnections: 2 } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 3; i++) sockets.push(connectTcp(port, '127.0.0.1').on('error', () => {}));
    await new Promise((resolve) => sockets[2]!.resume().once('close', resolve));
    expect(server.counters).toMatchObject({ connections: 2, connectionsRefused: 1 });
    for (const socket of sockets) socket.destroy();
  });
});

describe('the server', () => {
  it('reports a port that is taken', async () => {
    const { port } = await serve();
    await expect(new Http2Server({ methods: [] }).listen(port, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
  });

  const itOnLinux = process.platform === 'linux' ? it : it.skip;
  itOnLinux(
    'outlives the end of its file descriptors, and serves again when there are some',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'http2-server-'));
      const program = join(folder, 'server.js');
      const source = `
      import { Http2Server } from './src/picker/http2/server';
      const server = new Http2Server({ methods: [] });
      server.listen(0, '127.0.0.1').then(() => console.log('port ' + server.address().port));`;
      buildSync({
        stdin: { contents: source, resolveDir: join(__dirname, '..', '..', '..') },
        bundle: true,
        platform: 'node',
        outfile: program,
      });
      const running = await startProcess('/bin/sh', {
        args: ['-c', 'ulimit -n 60; exec "$0" "$1"', process.execPath, program],
        ready: /port (\d+)/,
      });
      const port = Number(running.readyMatch[1]);
      const sockets = Array.from({ length: 100 }, () => connectTcp(port, '127.0.0.1').on('error', () => {}));
      await eventually('no further connection is served', async () => !(await connects(port)));
      for (const socket of sockets) socket.destroy();
      await eventually('a connection is served again', () => connects(port));
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
    20_000,
  );

  it('refuses windows that its clients would exceed without knowing', () => {
    expect(() => new Http2Server({ methods: [], limits: { streamWindowBytes: 1000 } })).toThrow(
      'streamWindowBytes is 1000, at least 65535',
    );
  });

  it('has no address before it listens, and can be closed any time', async () => {
    const server = new Http2Server({ methods: [] });
    expect(() => server.address()).toThrow('does not listen');
    await server.close();
    expect(() => server.updateTls('', '')).toThrow('without TLS');
  });
});

/** Whether a client gets as far as the server's preface. */
function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    // A server that has no descriptor left ends the connection, or leaves it waiting.
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('error', () => resolve(false)).once('close', () => resolve(false));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
  });
}
