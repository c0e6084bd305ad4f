import { externalProcessor } from '../../../../src/picker/ext-proc/external-processor';
import { MAX_PIECE_BYTES } from '../../../../src/picker/ext-proc/processing-response';
import type { GrpcMethod } from '../../../../src/picker/http2/grpc';
import { encodeRequest, headerMap } from '../../../fixtures/ext-proc/messages';
import { chat, Exchange, modes, route, ScriptedDirector } from './harness';

const SEEN = { 'x-went-into-resp-headers': 'true' };
const USAGE = { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } };
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;

/** A routed request whose answer is due. */
function routed(director: ScriptedDirector, mode = 'FULL_DUPLEX_STREAMED', options = {}, method?: GrpcMethod): Exchange {
  const exchange = new Exchange(director, options, method)
    .requestHeaders({}, modes('FULL_DUPLEX_STREAMED', mode))
    .requestBody(chat());
  exchange.take();
  return exchange;
}

const masking = () => new ScriptedDirector(() => route({ targetModel: 'meta/llama' }));

describe('an answer', () => {
  test('is passed on chunk by chunk at once, and settled with its usage before the stream closes', () => {
    const director = new ScriptedDirector();
    let now = 100;
    const exchange = routed(director, 'FULL_DUPLEX_STREAMED', { nowMs: () => now });
    exchange.responseHeaders({ 'content-type': 'text/event-stream; charset=utf-8' });
    expect(exchange.take()).toEqual([{ kind: 'responseHeaders', set: SEEN, appendActions: ['OVERWRITE_IF_EXISTS_OR_ADD'] }]);
    now = 150;
    const chunks = [
      event({ choices: [{ delta: { content: 'a "usage"' } }] }),
      event({ choices: [], usage: USAGE }),
      'data: [DONE]\n\n',
    ];
    for (const chunk of chunks) {
      exchange.responseBody(chunk);
      expect(exchange.take()).toEqual([{ kind: 'responseBody', piece: Buffer.from(chunk), endOfStream: false }]);
      now = 400;
    }
    expect(director.settled).toEqual([]);
    // an empty chunk brings no token
    expect(director.gapsMs).toEqual([250, 0]);
    exchange.responseBody('', true);
    expect(director.gapsMs).toHaveLength(2);
    expect(exchange.take()).toEqual([{ kind: 'responseBody', piece: Buffer.alloc(0), endOfStream: true }]);
    const outcome = {
      status: 200,
      inputTokens: 12,
      outputTokens: 3,
      cachedTokens: 8,
      requestBytes: chat().length,
      responseBytes: chunks.join('').length,
      firstByteMs: 50,
      cause: 'natural',
    };
    expect(director.settled).toMatchObject([{ outcome }]);
    exchange.close();
    expect(director.settled).toHaveLength(1);
  });

  test('tells what its messages took to handle', () => {
    const director = new ScriptedDirector();
    let now = 0;
    // every look at the clock is a millisecond later
    const exchange = routed(director, 'FULL_DUPLEX_STREAMED', { nowMs: () => now++ });
    exchange.responseHeaders({ 'content-type': 'application/json' });
    exchange.responseBody('{}', false);
    exchange.responseBody('', true);
    expect(director.settled[0]!.outcome.handlingMs).toBe(3);
    expect(director.gapsMs).toEqual([]);
  });

  test.each(['200', '404', '503'])('B4: with :status %s is reported with it', (status) => {
    const director = new ScriptedDirector();
    routed(director).responseHeaders({ ':status': status, status: '777' }, true);
    expect(director.settled).toMatchObject([
      { outcome: { status: Number(status), cause: 'natural', inputTokens: -1, firstByteMs: -1 } },
    ]);
  });

  test('usage of an earlier request is never reported again', () => {
    const director = new ScriptedDirector();
    const method = externalProcessor({ director, onError: () => {} });
    routed(director, 'FULL_DUPLEX_STREAMED', {}, method)
      .responseHeaders()
      .responseBody(JSON.stringify({ usage: USAGE }), true)
      .close();
    routed(director, 'FULL_DUPLEX_STREAMED', {}, method)
      .responseHeaders({ 'content-type': 'text/plain' })
      .responseBody('x', true)
      .close();
    expect(director.settled.map(({ outcome }) => outcome.inputTokens)).toEqual([12, -1]);
  });

  test('as a stream without usage is settled with the number of its events, however they were cut', () => {
    const stream = `${event({ a: 1 })}${event({ a: 2 })}data: [DONE]\n\n`;
    for (const cut of [0, 7, 15]) {
      const director = new ScriptedDirector();
      routed(director)
        .responseHeaders({ 'content-type': 'text/event-stream' })
        .responseBody(stream.slice(0, cut))
        .responseBody(stream.slice(cut), true)
        .close();
      expect(director.settled).toMatchObject([{ outcome: { outputTokens: -1, deltas: 3 } }]);
    }
  });

  test('in chunks larger than a piece is cut', () => {
    const exchange = routed(new ScriptedDirector())
      .responseHeaders()
      .responseBody(Buffer.alloc(MAX_PIECE_BYTES + 5, 'x'), true);
    expect(exchange.replies.slice(1).map((reply) => [reply.piece?.length, reply.endOfStream])).toEqual([
      [MAX_PIECE_BYTES, false],
      [5, true],
    ]);
  });

  test('that ends with trailers is answered with them', () => {
    const director = new ScriptedDirector();
    const exchange = routed(director).responseHeaders().responseBody('{}').responseTrailers();
    expect(exchange.replies.map((reply) => [reply.kind, reply.endOfStream])).toEqual([
      ['responseHeaders', undefined],
      ['responseBody', false],
      ['responseTrailers', undefined],
    ]);
    expect(director.settled).toMatchObject([{ outcome: { cause: 'natural' } }]);
  });

  test.each([
    ['gzip', { 'content-encoding': 'gzip' }],
    ['text', { 'content-type': 'text/plain' }],
    ['of no type', { 'content-type': '' }],
  ])('that is %s is neither read nor changed', (_kind, headers) => {
    const director = masking();
    const body = JSON.stringify({ model: 'meta/llama', usage: USAGE });
    const exchange = routed(director).responseHeaders(headers).responseBody(body, true);
    expect(exchange.replies[0]?.remove).toBeUndefined();
    expect(exchange.replies[1]?.piece?.toString()).toBe(body);
    expect(director.settled).toMatchObject([{ outcome: { inputTokens: -1 } }]);
  });
});

describe('B6: the model of an answer', () => {
  const text = { content: '"model":"meta/llama"' };

  test('is the name that the client asked for, cut anywhere, and user text keeps what it says', () => {
    const body = JSON.stringify({ choices: [{ message: text, model: 'meta/llama' }], model: 'meta/llama' });
    const expected = JSON.stringify({ choices: [{ message: text, model: 'meta/llama' }], model: 'llama' });
    for (let at = 0; at <= body.length; at++) {
      const exchange = routed(masking()).responseHeaders({ 'content-length': String(body.length) });
      exchange.responseBody(body.slice(0, at)).responseBody(body.slice(at), true);
      expect(exchange.replies[0]?.remove).toEqual(['content-length']);
      const pieces = exchange.replies.slice(1);
      expect(Buffer.concat(pieces.map((reply) => reply.piece!)).toString()).toBe(expected);
      expect(pieces.map((reply) => reply.endOfStream)).toEqual(pieces.map((_, index) => index === pieces.length - 1));
    }
  });

  test('is replaced in every event', () => {
    const exchange = routed(masking()).responseHeaders({ 'content-type': 'text/event-stream' });
    exchange.responseBody(event({ model: 'meta/llama', choices: [text] }) + event({ model: 'other' }), true);
    expect(exchange.replies[1]?.piece?.toString()).toBe(event({ model: 'llama', choices: [text] }) + event({ model: 'other' }));
  });

  test('comes with its length in BUFFERED', () => {
    const body = JSON.stringify({ model: 'meta/llama' });
    const exchange = routed(masking(), 'BUFFERED')
      .responseHeaders({ 'content-length': String(body.length) })
      .responseBody(body, true);
    const expected = JSON.stringify({ model: 'llama' });
    expect(exchange.replies[0]?.remove).toBeUndefined();
    expect(exchange.replies[1]).toMatchObject({
      wholeBody: Buffer.from(expected),
      set: { 'content-length': String(expected.length) },
    });
  });

  test('held back when trailers cut the answer off is sent as it came', () => {
    const exchange = routed(masking()).responseHeaders().responseBody('{"model":"meta/ll').responseTrailers();
    expect(exchange.replies.slice(1).map((reply) => reply.piece?.toString() ?? reply.kind)).toEqual([
      '{"model":',
      '"meta/ll',
      'responseTrailers',
    ]);
  });
});

describe('an answer in STREAMED', () => {
  test('gets one reply for each chunk, with a body only where it changed', () => {
    const exchange = routed(masking(), 'STREAMED').responseHeaders();
    exchange.responseBody('{"id":1,').responseBody('"model":"me').responseBody('ta/llama","x":1').responseBody('}', true);
    expect(exchange.replies.slice(1).map((reply) => reply.wholeBody?.toString())).toEqual([
      undefined,
      '"model":',
      '"llama","x":1',
      undefined,
    ]);
  });

  test('is settled at its end', () => {
    const director = new ScriptedDirector();
    routed(director, 'STREAMED')
      .responseHeaders()
      .responseBody(JSON.stringify({ usage: USAGE }), true);
    expect(director.settled).toMatchObject([{ outcome: { inputTokens: 12, cause: 'natural' } }]);
  });
});

describe('the end of a stream', () => {
  test('B20: comes right after the request where nobody needs the answer, never before the body was echoed', () => {
    const director = new ScriptedDirector(() => route({ observeResponse: false }));
    const exchange = new Exchange(director).requestHeaders().requestBody(chat().slice(0, 5), false);
    expect(exchange.stream.ended).toBeUndefined();
    exchange.requestBody(chat().slice(5));
    expect(exchange.replies.at(-1)).toMatchObject({ kind: 'requestBody', endOfStream: true });
    expect(exchange.stream.ended).toEqual({ status: 0, message: undefined });
    expect(director.settled).toMatchObject([{ outcome: { cause: 'early-close', status: 0 } }]);
    exchange.close(false);
    expect(director.settled).toHaveLength(1);
  });

  test('waits for all pieces in STREAMED', () => {
    const exchange = new Exchange(new ScriptedDirector(() => route({ observeResponse: false }))).requestHeaders(
      {},
      modes('STREAMED'),
    );
    exchange.requestBody('a', false);
    expect(exchange.stream.ended).toBeUndefined();
    exchange.requestBody('b');
    expect(exchange.stream.ended?.status).toBe(0);
  });

  test.each([
    ['before the answer', (exchange: Exchange) => exchange],
    ['in the answer', (exchange: Exchange) => exchange.responseHeaders().responseBody('{"a":')],
  ])('%s is a disconnect of the client', (_when, play) => {
    const director = new ScriptedDirector();
    play(routed(director)).close();
    expect(director.settled).toMatchObject([{ outcome: { cause: 'client-disconnect' } }]);
  });

  test('before an answer that the proxy does not show is an early close', () => {
    const director = new ScriptedDirector();
    routed(director, 'NONE').close();
    expect(director.settled).toMatchObject([{ outcome: { cause: 'early-close' } }]);
  });

  test('with answer headers only is natural where the proxy shows no body', () => {
    const director = new ScriptedDirector();
    routed(director, 'NONE').responseHeaders().close();
    expect(director.settled).toMatchObject([{ outcome: { status: 200, cause: 'natural' } }]);
  });

  test('follows a half-close of the proxy', () => {
    const exchange = routed(new ScriptedDirector()).halfClose();
    expect(exchange.stream.ended?.status).toBe(0);
  });

  test.each([
    ['bytes that are no protobuf', Buffer.from([0xff, 0xff, 0xff]), 3, 'malformed ProcessingRequest: a number is cut off'],
    ['an empty message', Buffer.alloc(0), 3, 'malformed ProcessingRequest: it holds no known part of a request'],
    [
      'headers beyond all bounds',
      encodeRequest({ responseHeaders: { headers: headerMap({ x: 'x'.repeat(300_000) }) } }),
      3,
      'malformed ProcessingRequest: headers of 300011 bytes are more than 262144',
    ],
    ['a field that is cut off', Buffer.from([0x22, 0x7f, 1]), 3, 'malformed ProcessingRequest: a field of 127 bytes is cut off'],
  ])('is an error for %s, and a route is given back', (_what, bytes, status, message) => {
    const director = new ScriptedDirector();
    const exchange = routed(director).bytes(bytes);
    expect(exchange.stream.ended).toEqual({ status, message });
    exchange.close();
    expect(director.settled).toMatchObject([{ outcome: { cause: 'error' } }]);
  });

  test.each([
    ['a body before headers', (exchange: Exchange) => exchange.requestBody('x'), 'request_body is out of order'],
    ['headers twice', (exchange: Exchange) => exchange.requestHeaders().requestHeaders(), 'request_headers is out of order'],
    [
      'a body after the last',
      (exchange: Exchange) => exchange.requestHeaders().requestBody(chat()).requestBody('x'),
      'request_body is out of order',
    ],
    ['trailers first', (exchange: Exchange) => exchange.requestTrailers(), 'request_trailers is out of order'],
  ])('is FAILED_PRECONDITION for %s', (_what, play, message) => {
    expect(play(new Exchange(new ScriptedDirector())).stream.ended).toEqual({ status: 9, message });
  });
});

describe('a director that decides later', () => {
  const later = () => new ScriptedDirector(() => undefined);

  test('finds the body whole although the read buffer was used again', () => {
    const director = later();
    const exchange = new Exchange(director).requestHeaders().requestBody(chat());
    expect(exchange.replies).toEqual([]);
    expect(director.asked[0]?.facts.body?.toString()).toBe(chat());
    director.resume?.(route());
    expect(exchange.replies.map((reply) => reply.kind)).toEqual(['requestHeaders', 'requestBody']);
    expect(exchange.replies[1]?.piece?.toString()).toBe(chat());
    expect(exchange.stream.flushes).toBe(1);
  });

  test('may decide inside the call', () => {
    const director = new ScriptedDirector(() => {
      director.resume?.(route({ destination: '10.0.0.7:1' }));
      return undefined;
    });
    const exchange = new Exchange(director).requestHeaders().requestBody(chat());
    expect(exchange.replies[0]?.set?.['x-gateway-destination-endpoint']).toBe('10.0.0.7:1');
  });

  test('is told when the client has gone, and a route that comes all the same is given back', () => {
    const director = later();
    const exchange = new Exchange(director).requestHeaders().requestBody(chat()).close();
    expect(director.abandoned).toBe(1);
    director.resume?.(route());
    expect(exchange.replies).toEqual([]);
    expect(director.settled).toMatchObject([{ outcome: { cause: 'client-disconnect' } }]);
    director.resume?.(route());
    expect(director.settled).toHaveLength(1);
  });

  test('that was abandoned never finds another request in place of its own', () => {
    const director = later();
    const method = externalProcessor({ director, onError: () => {} });
    new Exchange(director, {}, method).requestHeaders({ 'x-me': 'first' }).requestBody(chat()).close();
    new Exchange(director, {}, method).requestHeaders({ 'x-me': 'second' }).requestBody(chat());
    expect(director.asked.map(({ facts }) => facts.header('x-me'))).toEqual(['first', 'second']);
  });

  test('is told when the proxy answers by itself, whose answer passes unchanged', () => {
    const director = later();
    const exchange = new Exchange(director).requestHeaders().requestBody(chat());
    exchange.responseHeaders({ ':status': '504' }).responseBody('{"usage":{"prompt_tokens":1}}', true);
    expect(director.abandoned).toBe(1);
    expect(exchange.replies).toEqual([
      { kind: 'responseHeaders' },
      { kind: 'responseBody', piece: Buffer.from('{"usage":{"prompt_tokens":1}}'), endOfStream: true },
    ]);
    exchange.close();
    expect(director.abandoned).toBe(1);
    expect(director.settled).toEqual([]);
  });
});

describe('metadata for the last message', () => {
  const answerMetadata = (_request: unknown, outcome: { outputTokens: number }) => ({
    'envoy.lb': { 'llm-output-tokens': outcome.outputTokens, by: 'picker' },
  });
  const expected = { 'envoy.lb': { 'llm-output-tokens': 3, by: 'picker' } };
  const body = JSON.stringify({ usage: USAGE });

  test.each([
    'FULL_DUPLEX_STREAMED',
    'STREAMED',
    'BUFFERED',
  ])('is sent with the end of the body in %s, and only there', (mode) => {
    const exchange = routed(new ScriptedDirector(), mode, { answerMetadata }).responseHeaders();
    if (mode !== 'BUFFERED') exchange.responseBody(body.slice(0, 9));
    exchange.responseBody(mode === 'BUFFERED' ? body : body.slice(9), true);
    expect(exchange.replies.at(-1)?.metadata).toEqual(expected);
    expect(exchange.replies.filter((reply) => reply.metadata !== undefined)).toHaveLength(1);
  });

  test('is sent with the trailers', () => {
    const exchange = routed(new ScriptedDirector(), 'FULL_DUPLEX_STREAMED', { answerMetadata })
      .responseHeaders()
      .responseBody(body)
      .responseTrailers();
    expect(exchange.replies.at(-1)).toEqual({ kind: 'responseTrailers', metadata: expected });
  });

  test('is sent with the headers of an answer without a body', () => {
    const exchange = routed(new ScriptedDirector(), 'FULL_DUPLEX_STREAMED', { answerMetadata }).responseHeaders({}, true);
    expect(exchange.replies[0]).toMatchObject({
      kind: 'responseHeaders',
      set: SEEN,
      metadata: { 'envoy.lb': { 'llm-output-tokens': -1 } },
    });
  });
});
