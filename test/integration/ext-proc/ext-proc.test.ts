import type { ServerResponse } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Decision, Director, Outcome, RequestFacts, RouteDecision } from '../../../src/picker/ext-proc/director';
import { externalProcessor } from '../../../src/picker/ext-proc/external-processor';
import { rejection } from '../../../src/picker/ext-proc/rejection';
import { Http2Server } from '../../../src/picker/http2/server';
import { describeWith } from '../../components/describe-with';
import { eventually } from '../../components/process';
import type { ListenerMode } from './bootstrap';
import { type Engine, type Received, sendHttp1, sendHttp2, startEngine } from './http';
import { type RunningProxy, startProxy } from './proxy';

jest.setTimeout(30_000);

const DUPLEX = 'FULL_DUPLEX_STREAMED';
const MODES: readonly ListenerMode[] = [
  { name: 'duplex', requestBody: DUPLEX, responseBody: DUPLEX },
  { name: 'buffered', requestBody: 'BUFFERED', responseBody: 'BUFFERED' },
  { name: 'buffered-streamed', requestBody: 'BUFFERED', responseBody: 'STREAMED' },
  { name: 'streamed', requestBody: 'STREAMED', responseBody: 'STREAMED' },
  { name: 'streamed-early', requestBody: 'STREAMED', responseBody: 'STREAMED', bodyBeforeHeaderReply: true },
  { name: 'headers-only', requestBody: 'NONE', responseBody: 'NONE' },
  { name: 'no-answer', requestBody: DUPLEX, responseBody: 'NONE', responseHeaders: 'SKIP' },
  { name: 'impatient', requestBody: DUPLEX, responseBody: DUPLEX, streamIdleTimeout: '0.3s' },
];

const USAGE = { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } };
const EVENTS = [
  { model: 'meta/llama', choices: [{ delta: { content: 'the "model":"meta/llama"' } }] },
  { model: 'meta/llama', choices: [{ delta: { content: ' naïve 数据' } }] },
  { model: 'meta/llama', choices: [], usage: USAGE },
];
const chat = (fields: object = {}) =>
  JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], model: 'llama', ...fields });

/** What the engines do, chosen by the request header x-engine. */
async function answer(received: Received, response: ServerResponse): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  switch (received.headers['x-engine']) {
    case 'echo':
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': received.body.length });
      response.end(received.body);
      return;
    case 'events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of EVENTS) {
        response.write(`data: ${JSON.stringify(event)}\n\n`);
        await pause(30);
      }
      response.end('data: [DONE]\n\n');
      return;
    case 'endless':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      while (!response.destroyed) {
        response.write(`data: ${JSON.stringify(EVENTS[0])}\n\n`);
        await pause(10);
      }
      return;
    case 'gzip':
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify({ model: 'meta/llama', usage: USAGE })));
      return;
    case 'trailers':
      response.writeHead(200, { 'content-type': 'application/json', trailer: 'x-end' });
      response.write(JSON.stringify({ model: 'meta/llama', usage: USAGE }));
      response.addTrailers({ 'x-end': 'yes' });
      response.end();
      return;
    case 'error':
      response.writeHead(503, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"engine is full"}}');
      return;
    default: {
      const body = JSON.stringify({
        model: 'meta/llama',
        choices: [{ message: { content: 'a "model":"meta/llama"' } }],
        usage: USAGE,
      });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(received.method === 'HEAD' ? undefined : body);
    }
  }
}

interface Settled {
  readonly path: string;
  readonly model: string | undefined;
  readonly outcome: Outcome;
}

/** Decides by request headers: x-pick, x-target, x-unobserved, x-later, x-refuse. */
class HeaderDirector implements Director {
  engines: readonly Engine[] = [];
  readonly settled: Settled[] = [];
  abandoned = 0;

  decide(request: RequestFacts, resume: (decision: Decision) => void): Decision | undefined {
    if (request.header('x-refuse') !== undefined) {
      return rejection('chat', 'ResourceExhausted', 'system saturated, sheddable request dropped', 'rejected-saturated', [
        'retry-after',
        '3',
      ]);
    }
    const route: RouteDecision = {
      kind: 'route',
      destination: this.engines[Number(request.header('x-pick') ?? 0)]!.address,
      targetModel: request.header('x-target'),
      setHeaders: ['x-decided', 'yes'],
      observeResponse: request.header('x-unobserved') === undefined,
      ticket: { path: request.path, model: request.scanned?.model },
    };
    const later = request.header('x-later');
    if (later === undefined) return route;
    if (later !== 'never') setTimeout(resume, Number(later), route);
    return undefined;
  }

  abandon(): void {
    this.abandoned++;
  }

  settle(_request: RequestFacts, decision: RouteDecision, outcome: Outcome): void {
    this.settled.push({ ...(decision.ticket as { path: string; model: string | undefined }), outcome });
  }
}

describeWith(['envoy'], 'the ext_proc service behind Envoy', ({ envoy }) => {
  const director = new HeaderDirector();
  const errors: unknown[] = [];
  let engines: readonly Engine[];
  let picker: Http2Server;
  let proxy: RunningProxy;
  const port = (mode = 'duplex') => proxy.port(mode);

  beforeAll(async () => {
    engines = [await startEngine(answer), await startEngine(answer)];
    director.engines = engines;
    const onError = (error: unknown) => errors.push(error);
    picker = new Http2Server({ methods: [externalProcessor({ director, onError })], onError });
    await picker.listen(0, '127.0.0.1');
    proxy = await startProxy(envoy, picker.address().port, MODES);
  });

  afterAll(async () => {
    await proxy?.stop();
    await picker?.close();
    await Promise.all((engines ?? []).map((engine) => engine.close()));
  });

  beforeEach(() => {
    director.settled.length = 0;
    director.abandoned = 0;
    for (const engine of engines) engine.received.length = 0;
  });

  const settlement = () => eventually('the request is settled', () => director.settled[0]);

  describe.each([
    ['HTTP/1.1', sendHttp1],
    ['HTTP/2', sendHttp2],
  ])('over %s in FULL_DUPLEX_STREAMED', (_name, send) => {
    test.each([0, 1])('engine %d answers when it was picked, and sees what the picker decided', async (pick) => {
      const headers = {
        'x-pick': String(pick),
        'x-target': 'meta/llama',
        'x-llm-d-inference-objective': 'mine',
        'x-gateway-destination-endpoint': '127.0.0.1:1',
      };
      const answered = await send(port(), { body: chat(), headers: { ...headers, 'x-aig-client-id': 'somebody' } });
      expect(answered.status).toBe(200);
      const [received] = engines[pick]!.received;
      expect(received?.body.toString()).toBe(chat({ model: 'meta/llama' }));
      expect(received?.headers).toMatchObject({ 'x-decided': 'yes', 'x-gateway-destination-endpoint': engines[pick]!.address });
      expect(received?.headers).not.toHaveProperty('x-llm-d-inference-objective');
      expect(received?.headers).not.toHaveProperty('x-aig-client-id');
      expect(JSON.parse(answered.body.toString())).toEqual({
        model: 'llama',
        choices: [{ message: { content: 'a "model":"meta/llama"' } }],
        usage: USAGE,
      });
      expect(await settlement()).toMatchObject({
        model: 'llama',
        outcome: {
          status: 200,
          inputTokens: 12,
          outputTokens: 3,
          cachedTokens: 8,
          requestBytes: chat().length,
          cause: 'natural',
        },
      });
    });

    test.each([
      0, 1, 100, 61_999, 62_000, 62_001, 65_536, 300_000, 8_000_000,
    ])('%d bytes arrive and return as they were', async (length) => {
      const body = Buffer.alloc(length);
      for (let i = 0; i < length; i++) body[i] = (i * 7919 + (i >> 8)) & 0xff;
      const answered = await send(port(), { path: '/anything', body, headers: { 'x-engine': 'echo' } });
      expect(answered.status).toBe(200);
      expect(engines[0]?.received[0]?.body.equals(body)).toBe(true);
      expect(answered.body.equals(body)).toBe(true);
    });

    test('events arrive as they are made, with the name that the client asked for', async () => {
      const answered = await send(port(), {
        body: chat({ stream: true }),
        headers: { 'x-engine': 'events', 'x-target': 'meta/llama' },
      });
      const expected = EVENTS.map((event) => `data: ${JSON.stringify({ ...event, model: 'llama' })}\n\n`).join('');
      expect(answered.body.toString()).toBe(`${expected}data: [DONE]\n\n`);
      expect(await settlement()).toMatchObject({
        outcome: { inputTokens: 12, outputTokens: 3, cachedTokens: 8, cause: 'natural' },
      });
    });

    test('trailers of the request and of the answer arrive', async () => {
      const answered = await send(port(), { body: chat(), trailers: { 'x-checksum': '1' }, headers: { 'x-engine': 'trailers' } });
      expect(engines[0]?.received[0]).toMatchObject({ trailers: { 'x-checksum': '1' } });
      expect(engines[0]?.received[0]?.body.toString()).toBe(chat());
      expect(answered).toMatchObject({ status: 200, trailers: { 'x-end': 'yes' } });
      expect(await settlement()).toMatchObject({ outcome: { inputTokens: 12, cause: 'natural' } });
    });

    test.each(['GET', 'HEAD'])('%s without a body is decided by its headers', async (method) => {
      const answered = await send(port(), { method, path: '/v1/models', headers: { 'x-pick': '1' } });
      expect(answered.status).toBe(200);
      expect(engines[1]?.received).toMatchObject([{ method, url: '/v1/models' }]);
      expect(await settlement()).toMatchObject({ outcome: { status: 200, cause: 'natural' } });
    });

    test('an answer in gzip passes untouched', async () => {
      const answered = await send(port(), { body: chat(), headers: { 'x-engine': 'gzip', 'x-target': 'meta/llama' } });
      expect(JSON.parse(gunzipSync(answered.body).toString())).toMatchObject({ model: 'meta/llama' });
    });

    test('a refusal reaches the client with its status, headers and body', async () => {
      const answered = await send(port(), { body: chat(), headers: { 'x-refuse': '1' } });
      expect(answered.status).toBe(429);
      expect(answered.headers).toMatchObject({
        'retry-after': '3',
        'content-type': 'application/json',
        'x-llm-d-request-dropped-reason': 'rejected-saturated',
      });
      expect(JSON.parse(answered.body.toString()).error.code).toBe('resource_exhausted');
      expect(engines[0]?.received).toEqual([]);
    });
  });

  test('the first event arrives long before the last is made', async () => {
    const at: number[] = [];
    const onChunk = () => at.push(performance.now()) > 0;
    await sendHttp1(port(), { body: chat({ stream: true }), headers: { 'x-engine': 'events' }, onChunk });
    expect(at.at(-1)! - at[0]!).toBeGreaterThan(50);
  });

  test('malformed JSON is a 400, a body that is too large a 413', async () => {
    const malformed = await sendHttp1(port(), { body: '{"messages":' });
    expect(malformed.status).toBe(400);
    expect(JSON.parse(malformed.body.toString()).error.message).toContain(
      'inference error: BadRequest - error unmarshaling request bodyMap',
    );
    const large = await sendHttp2(port(), { path: '/anything', body: Buffer.alloc(17 * 1024 * 1024) });
    expect(large.status).toBe(413);
  });

  test('the status of the engine is reported', async () => {
    await sendHttp1(port(), { body: chat(), headers: { 'x-engine': 'error' } });
    expect(await settlement()).toMatchObject({ outcome: { status: 503, cause: 'natural' } });
  });

  test('a client that goes away in the middle of an answer is a disconnect', async () => {
    let chunks = 0;
    const sent = sendHttp1(port(), { body: chat(), headers: { 'x-engine': 'endless' }, onChunk: () => ++chunks < 3 });
    await expect(sent).rejects.toThrow('given up');
    expect(await settlement()).toMatchObject({ outcome: { status: 200, cause: 'client-disconnect' } });
    expect(director.settled).toHaveLength(1);
  });

  test('a request may wait for its decision, longer than any message timeout', async () => {
    const answered = await sendHttp1(port(), { body: chat(), headers: { 'x-later': '300' } });
    expect(answered.status).toBe(200);
    expect(engines[0]?.received[0]?.body.toString()).toBe(chat());
  });

  test('a client that goes away while it waits is abandoned', async () => {
    const waiting = sendHttp1(port('impatient'), { body: chat(), headers: { 'x-later': 'never' } });
    expect((await waiting).status).toBe(504);
    await eventually('the director is told', () => director.abandoned === 1);
    expect(director.settled).toEqual([]);
  });

  test('a stream closed early leaves request and answer whole', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const answered = await sendHttp1(port(), { path: '/anything', body, headers: { 'x-engine': 'echo', 'x-unobserved': '1' } });
    expect(answered.status).toBe(200);
    expect(answered.body.equals(body)).toBe(true);
    expect(await settlement()).toMatchObject({ outcome: { cause: 'early-close', status: 0 } });
  });

  test('where the proxy shows no answer, its reset is an early close', async () => {
    const answered = await sendHttp1(port('no-answer'), { body: chat() });
    expect(answered.status).toBe(200);
    expect(await settlement()).toMatchObject({ outcome: { cause: 'early-close' } });
  });

  describe.each(['buffered', 'buffered-streamed', 'streamed-early'])('in the mode %s', (mode) => {
    test('body and model are seen, and the model is rewritten and hidden', async () => {
      const answered = await sendHttp1(port(mode), { body: chat(), headers: { 'x-pick': '1', 'x-target': 'meta/llama' } });
      expect(answered.status).toBe(200);
      expect(engines[1]?.received[0]?.body.toString()).toBe(chat({ model: 'meta/llama' }));
      expect(JSON.parse(answered.body.toString())).toMatchObject({ model: 'llama', usage: USAGE });
      expect(await settlement()).toMatchObject({ model: 'llama', outcome: { inputTokens: 12, cause: 'natural' } });
    });

    test.each([1, 62_001, 900_000])('%d bytes arrive and return as they were', async (length) => {
      const body = Buffer.alloc(length, 'abc');
      const answered = await sendHttp1(port(mode), { path: '/anything', body, headers: { 'x-engine': 'echo' } });
      expect(engines[0]?.received[0]?.body.equals(body)).toBe(true);
      expect(answered.body.equals(body)).toBe(true);
    });
  });

  test('8 MB are buffered and rewritten where the proxy allows as much', async () => {
    const body = chat({ text: 'x'.repeat(8_000_000) });
    const answered = await sendHttp1(port('buffered'), { body, headers: { 'x-engine': 'echo', 'x-target': 'meta/llama' } });
    expect(answered.body.toString()).toBe(body.replace('"model":"llama"', '"model":"meta/llama"'));
  });

  test('in STREAMED the headers decide, and body and events pass', async () => {
    const answered = await sendHttp1(port('streamed'), {
      body: chat({ stream: true }),
      headers: { 'x-engine': 'events', 'x-pick': '1' },
    });
    expect(answered.body.toString()).toContain('[DONE]');
    expect(engines[1]?.received[0]?.body.toString()).toBe(chat({ stream: true }));
    expect(await settlement()).toMatchObject({ model: undefined, outcome: { inputTokens: 12, cause: 'natural' } });
  });

  test('with headers alone requests are routed too', async () => {
    const answered = await sendHttp1(port('headers-only'), { body: chat(), headers: { 'x-pick': '1' } });
    expect(answered.status).toBe(200);
    expect(engines[1]?.received).toHaveLength(1);
    expect(await settlement()).toMatchObject({ outcome: { status: 200, cause: 'natural' } });
  });

  test('a proxy that half-closes at the end gets its stream ended in time, without a reset', async () => {
    const flags = { 'envoy.reloadable_features.ext_proc_graceful_grpc_close': true };
    const graceful = await startProxy(envoy, picker.address().port, MODES.slice(0, 1), flags);
    for (let sent = 0; sent < 3; sent++) {
      expect((await sendHttp1(graceful.port('duplex'), { body: chat() })).status).toBe(200);
    }
    await eventually(
      'all streams are closed',
      async () => (await graceful.stats('ext_proc.streams_closed'))['http.duplex.ext_proc.streams_closed'] === 3,
    );
    expect(await graceful.stats('cluster.picker.http2.tx_reset')).toEqual({ 'cluster.picker.http2.tx_reset': 0 });
    expect(director.settled.map(({ outcome }) => outcome.cause)).toEqual(['natural', 'natural', 'natural']);
    await graceful.stop();
  });

  test('B5: Envoy refused no header mutation, and no stream failed', async () => {
    expect((await sendHttp1(port(), { body: chat(), headers: { 'x-target': 'meta/llama' } })).status).toBe(200);
    const refused = await proxy.stats('ext_proc.rejected_header_mutations');
    expect(Object.keys(refused).length).toBeGreaterThan(0);
    expect(Object.values(refused).every((count) => count === 0)).toBe(true);
    const failed = await proxy.stats('ext_proc.(streams_failed|spurious_msgs_received)');
    expect(Object.values(failed).every((count) => count === 0)).toBe(true);
    expect(errors).toEqual([]);
  });
});
