import type { RejectDecision, RequestFacts } from '../../../../src/picker/ext-proc/director';
import { MAX_PIECE_BYTES } from '../../../../src/picker/ext-proc/processing-response';
import { rejection } from '../../../../src/picker/ext-proc/rejection';
import { struct } from '../../../fixtures/ext-proc/messages';
import { chat, ENDPOINT, Exchange, modes, route, ScriptedDirector } from './harness';

const DESTINATION = 'x-gateway-destination-endpoint';

describe('a request in FULL_DUPLEX_STREAMED', () => {
  test('is answered when its body is complete: headers with the destination, then the body', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders({}, modes('FULL_DUPLEX_STREAMED'));
    expect(exchange.replies).toEqual([]);
    exchange.requestBody(chat());
    expect(exchange.replies).toEqual([
      {
        kind: 'requestHeaders',
        set: { [DESTINATION]: ENDPOINT },
        appendActions: ['OVERWRITE_IF_EXISTS_OR_ADD'],
        clearRouteCache: true,
        metadata: { 'envoy.lb': { [DESTINATION]: ENDPOINT } },
      },
      { kind: 'requestBody', piece: Buffer.from(chat()), endOfStream: true },
    ]);
    expect(director.asked).toMatchObject([
      { method: 'POST', path: '/v1/chat/completions', body: chat(), model: 'llama', subset: undefined },
    ]);
  });

  test('is the mode of a proxy that sends no protocol_config', () => {
    const exchange = new Exchange(new ScriptedDirector()).requestHeaders().requestBody(chat());
    expect(exchange.replies.map((reply) => reply.kind)).toEqual(['requestHeaders', 'requestBody']);
  });

  test.each([1, 7, 1000])('sees a body in pieces of %d bytes whole', (size) => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders();
    const body = Buffer.from(chat({ note: 'naïve 数据'.repeat(300) }));
    for (let at = 0; at < body.length; at += size) exchange.requestBody(body.subarray(at, at + size), false);
    exchange.requestBody('', true);
    expect(director.asked[0]?.body).toBe(body.toString());
    expect(Buffer.concat(exchange.replies.slice(1).map((reply) => reply.piece!)).equals(body)).toBe(true);
  });

  test.each([
    [0, [0]],
    [MAX_PIECE_BYTES, [MAX_PIECE_BYTES]],
    [MAX_PIECE_BYTES + 1, [MAX_PIECE_BYTES, 1]],
    [200_000, [MAX_PIECE_BYTES, MAX_PIECE_BYTES, MAX_PIECE_BYTES, 14_000]],
  ])('echoes %d bytes in pieces of %j, the last of which ends the stream', (length, sizes) => {
    const exchange = new Exchange(new ScriptedDirector())
      .requestHeaders({ ':path': '/other' })
      .requestBody(Buffer.alloc(length, 'x'));
    const pieces = exchange.replies.slice(1);
    expect(pieces.map((piece) => piece.piece?.length)).toEqual(sizes);
    expect(pieces.map((piece) => piece.endOfStream)).toEqual(sizes.map((_, index) => index === sizes.length - 1));
    expect(Math.max(...exchange.stream.sizes)).toBeLessThan(65_536);
  });

  test('B1: trailers end the body, and no piece ends the stream before them', () => {
    const exchange = new Exchange(new ScriptedDirector()).requestHeaders().requestBody(chat(), false).requestTrailers();
    expect(exchange.replies.map((reply) => [reply.kind, reply.endOfStream])).toEqual([
      ['requestHeaders', undefined],
      ['requestBody', false],
      ['requestTrailers', undefined],
    ]);
  });

  test('trailers without any body are answered without a piece', () => {
    const exchange = new Exchange(new ScriptedDirector()).requestHeaders({ ':path': '/other' }).requestTrailers();
    expect(exchange.replies.map((reply) => reply.kind)).toEqual(['requestHeaders', 'requestTrailers']);
  });
});

describe('the subset hint', () => {
  const hint = (value: unknown) => ({
    metadataContext: { filterMetadata: { 'envoy.lb.subset_hint': struct({ 'x-gateway-destination-endpoint-subset': value }) } },
  });

  test.each([
    ['a list', ['10.0.0.1:8000', '10.0.0.2'], ['10.0.0.1:8000', '10.0.0.2']],
    ['a string with commas', '10.0.0.1:8000, 10.0.0.2', ['10.0.0.1:8000', '10.0.0.2']],
    ['an empty list', [], []],
    ['another kind, which allows nothing', 7, []],
    ['a list in a list, which allows nothing', [['10.0.0.1']], []],
  ])('B2: may be %s', (_kind, value, expected) => {
    const director = new ScriptedDirector();
    new Exchange(director).requestHeaders({}, hint(value)).requestBody(chat());
    expect(director.asked[0]?.subset).toEqual(expected);
  });

  test('is undefined when the proxy names no endpoints', () => {
    const director = new ScriptedDirector();
    const other = {
      metadataContext: { filterMetadata: { 'envoy.lb': struct({ a: 'b' }), 'envoy.lb.subset_hint': struct({ a: ['b'] }) } },
    };
    new Exchange(director).requestHeaders({}, other).requestBody(chat());
    expect(director.asked[0]?.subset).toBeUndefined();
  });

  test('may come with the body', () => {
    const director = new ScriptedDirector();
    new Exchange(director)
      .requestHeaders()
      .message({ requestBody: { body: Buffer.from(chat()), endOfStream: true }, ...hint(['10.0.0.9']) });
    expect(director.asked[0]?.subset).toEqual(['10.0.0.9']);
  });
});

describe('a request without a body', () => {
  test('B3: goes the same way, with its subset and without control headers', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders(
      { ':method': 'GET', ':path': '/v1/models', 'x-llm-d-inference-objective': 'high' },
      {
        metadataContext: {
          filterMetadata: { 'envoy.lb.subset_hint': struct({ 'x-gateway-destination-endpoint-subset': ['10.0.0.2'] }) },
        },
      },
      true,
    );
    expect(director.asked).toMatchObject([{ method: 'GET', path: '/v1/models', body: undefined, subset: ['10.0.0.2'] }]);
    expect(exchange.replies).toMatchObject([{ kind: 'requestHeaders', remove: ['x-llm-d-inference-objective'] }]);
  });

  test('B3: gets 503 where no endpoint is left', () => {
    const director = new ScriptedDirector(() =>
      rejection('chat', 'ServiceUnavailable', 'failed to find endpoint candidates', 'rejected-no-endpoints'),
    );
    const exchange = new Exchange(director).requestHeaders({ ':method': 'GET' }, {}, true);
    expect(exchange.replies).toMatchObject([{ kind: 'immediateResponse', status: 503 }]);
  });
});

describe('request headers', () => {
  test('B5: only what changes is sent, each with an explicit action', () => {
    const director = new ScriptedDirector(() => route({ setHeaders: ['x-prefiller-host-port', '10.0.0.3:8000', 'x-a', 'b'] }));
    const exchange = new Exchange(director).requestHeaders({ 'x-many': ['1', '2'], 'x-b': 'c', host: 'h' }).requestBody(chat());
    expect(exchange.replies[0]).toMatchObject({
      set: { [DESTINATION]: ENDPOINT, 'x-prefiller-host-port': '10.0.0.3:8000', 'x-a': 'b' },
      appendActions: ['OVERWRITE_IF_EXISTS_OR_ADD'],
    });
    expect(exchange.replies[0]?.remove).toBeUndefined();
  });

  const controls = [
    'x-llm-d-inference-fairness-id',
    'x-gateway-inference-fairness-id',
    'x-llm-d-inference-objective',
    'x-gateway-inference-objective',
    'x-llm-d-model-name-rewrite',
    'x-gateway-model-name-rewrite',
    'x-llm-d-slo-ttft-ms',
    'x-slo-ttft-ms',
    'x-llm-d-slo-tpot-ms',
    'x-slo-tpot-ms',
    'x-llm-d-video-fps',
    'x-llm-d-request-dropped-reason',
    'x-prefiller-host-port',
    'x-encoder-hosts-ports',
    'x-data-parallel-host-port',
    'x-kv-cache-source-host-port',
    'x-gateway-destination-endpoint',
    'x-gateway-destination-endpoint-served',
    'x-aig-client-id',
    'x-aig-tenant',
  ];

  test.each(controls)('B13: a client copy of %s is removed before the engine, and still read', (name) => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders({ [name]: ['1', '2'] });
    exchange.requestBody(chat());
    expect(exchange.replies[0]?.remove).toEqual([name]);
    expect(director.asked[0]?.facts.header(name)).toBe('1');
  });

  test.each([
    'x-gateway',
    'x-gateway-other',
    'x-slo',
    'x-aigle',
    'x-prefiller-host-port-2',
    'prefer',
    'x-session-token',
    'x-request-id',
  ])('%s is left alone', (name) => {
    const exchange = new Exchange(new ScriptedDirector()).requestHeaders({ [name]: '1' }).requestBody(chat());
    expect(exchange.replies[0]?.remove).toBeUndefined();
  });

  test('a control header in upper case is found too', () => {
    const exchange = new Exchange(new ScriptedDirector()).requestHeaders({ 'X-AIG-Client-Id': 'me' }).requestBody(chat());
    expect(exchange.replies[0]?.remove).toEqual(['x-aig-client-id']);
  });

  test.each([
    ['value', { value: 'a' }, 'a'],
    ['raw_value', { rawValue: Buffer.from('b') }, 'b'],
    ['raw_value before value', { value: 'a', rawValue: Buffer.from('b') }, 'b'],
  ])('are read from %s', (_field, fields, expected) => {
    const director = new ScriptedDirector();
    new Exchange(director).message({ requestHeaders: { headers: { headers: [{ key: 'x', ...fields }] }, endOfStream: true } });
    expect(director.asked[0]?.facts.header('x')).toBe(expected);
  });

  test('are read from raw_value when it comes first', () => {
    const director = new ScriptedDirector();
    // HeaderValue{key: "x", raw_value: "b", value: "a"}, which encoders write in another order
    const header = Buffer.from('0a01781a0162120161', 'hex');
    const map = Buffer.concat([Buffer.from([0x0a, header.length]), header]);
    const headers = Buffer.concat([Buffer.from([0x0a, map.length]), map, Buffer.from([0x18, 1])]);
    new Exchange(director).bytes(Buffer.concat([Buffer.from([0x12, headers.length]), headers]));
    expect(director.asked[0]?.facts.header('x')).toBe('b');
  });

  test('a request id is made where there is none, and the director sees it', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).message({
      requestHeaders: { headers: { headers: [{ key: ':method', value: 'GET' }] }, endOfStream: true },
    });
    const id = exchange.replies[0]?.set?.['x-request-id'];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(director.asked[0]?.facts.header('x-request-id')).toBe(id);
    expect(director.asked[0]?.method).toBe('GET');
  });
});

describe('the model', () => {
  const rewritten = (body: string, headers = {}) => {
    const director = new ScriptedDirector(() => route({ targetModel: 'meta/llama "3"' }));
    const exchange = new Exchange(director).requestHeaders(headers).requestBody(body);
    return {
      headers: exchange.replies[0],
      body: Buffer.concat(exchange.replies.slice(1).map((reply) => reply.piece!)).toString(),
    };
  };

  test.each([
    ['in the middle', '{"messages":["x"],"model":"a","n":1}', '{"messages":["x"],"model":"meta/llama \\"3\\"","n":1}'],
    [
      'twice, of which the last counts',
      '{"model":"a","messages":["x"],"model":"b"}',
      '{"model":"a","messages":["x"],"model":"meta/llama \\"3\\""}',
    ],
    ['null', '{"messages":["x"],"model":null}', '{"messages":["x"],"model":"meta/llama \\"3\\""}'],
    ['absent', ' { "messages":["x"]}', ' {"model":"meta/llama \\"3\\"", "messages":["x"]}'],
  ])('is rewritten in place when it is %s', (_where, body, expected) => {
    const sent = rewritten(body, { 'content-length': String(body.length) });
    expect(sent.body).toBe(expected);
    expect(sent.headers?.set?.['content-length']).toBe(String(expected.length));
  });

  test('is added to an empty object', () => {
    expect(rewritten('{ }', { ':path': '/v1/responses' }).body).toBe('{"model":"meta/llama \\"3\\"" }');
  });

  test('is left alone in a body that is not read', () => {
    expect(rewritten('{"model":"a"}', { ':path': '/tokenize' }).body).toBe('{"model":"a"}');
  });

  test('costs no change where it is already the target', () => {
    const director = new ScriptedDirector(() => route({ targetModel: 'llama' }));
    const exchange = new Exchange(director).requestHeaders({ 'content-length': '9' }).requestBody(chat());
    expect(exchange.replies[0]?.set?.['content-length']).toBeUndefined();
    expect(exchange.replies[1]?.piece?.toString()).toBe(chat());
  });
});

describe('a refusal', () => {
  test('carries status, headers, body and the drop reason, and ends the stream', () => {
    const director = new ScriptedDirector(() =>
      rejection('chat', 'ResourceExhausted', 'system saturated, sheddable request dropped', 'rejected-saturated', [
        'retry-after',
        '3',
      ]),
    );
    const exchange = new Exchange(director).requestHeaders().requestBody(chat());
    expect(exchange.replies).toEqual([
      {
        kind: 'immediateResponse',
        status: 429,
        set: { 'content-type': 'application/json', 'retry-after': '3', 'x-llm-d-request-dropped-reason': 'rejected-saturated' },
        appendActions: ['OVERWRITE_IF_EXISTS_OR_ADD'],
        body: '{"error":{"message":"inference error: ResourceExhausted - system saturated, sheddable request dropped","type":"rate_limit_error","param":null,"code":"resource_exhausted"}}',
        details: 'rejected-saturated',
      },
    ]);
    expect(exchange.stream.ended).toEqual({ status: 0, message: undefined });
    expect(director.settled).toEqual([]);
  });

  test.each([
    [
      '/v1/chat/completions',
      '{"messages":',
      'inference error: BadRequest - error unmarshaling request bodyMap: unexpected end of JSON input',
    ],
    [
      '/v1/chat/completions',
      '{"model":"m"}',
      'inference error: BadRequest - invalid chat completions request: must have valid messages field',
    ],
    [
      '/v1/completions',
      '{"model":"m","prompt":""}',
      'inference error: BadRequest - invalid completions request: must have prompt field',
    ],
    ['/v1/embeddings', '{"model":"m"}', 'inference error: BadRequest - invalid embeddings request: must have input field'],
    ['/v1/messages', '[]', 'inference error: BadRequest - error unmarshaling request bodyMap: the body is not a JSON object'],
  ])('of %s with %s says: %s', (path, body, message) => {
    const director = new ScriptedDirector();
    const refused: string[] = [];
    const onRefused = (request: RequestFacts, decision: RejectDecision) => refused.push(`${request.path} ${decision.reason}`);
    const exchange = new Exchange(director, { onRefused }).requestHeaders({ ':path': path }).requestBody(body);
    expect(refused).toEqual([`${path} bad-request`]);
    expect(exchange.replies[0]).toMatchObject({ kind: 'immediateResponse', status: 400 });
    const answer = JSON.parse(exchange.replies[0]!.body!);
    expect(answer.error).toMatchObject({ type: 'invalid_request_error', message });
    expect(answer.type).toBe(path === '/v1/messages' ? 'error' : undefined);
    expect(director.asked).toEqual([]);
  });

  test.each([
    ['announced', { 'content-length': '11' }, []],
    ['seen', {}, ['123456', '78901']],
    ['seen at once', {}, ['12345678901']],
  ])('of a body that is too large comes when that is %s', (_when, headers, pieces) => {
    const exchange = new Exchange(new ScriptedDirector(), { maxBodyBytes: 10 }).requestHeaders(headers);
    for (const piece of pieces) exchange.requestBody(piece, false);
    expect(exchange.replies).toMatchObject([{ kind: 'immediateResponse', status: 413, details: 'payload-too-large' }]);
    expect(JSON.parse(exchange.replies[0]!.body!).error.message).toBe(
      'inference error: PayloadTooLarge - the request body is larger than 10 bytes',
    );
    exchange.requestBody('ignored').close();
    expect(exchange.replies).toHaveLength(1);
  });

  test('of bodies beyond the memory of all requests is a 503', () => {
    const exchange = new Exchange(new ScriptedDirector(), { maxBufferedBytes: 8_000 })
      .requestHeaders()
      .requestBody('x'.repeat(9_000), false);
    expect(exchange.replies).toMatchObject([{ kind: 'immediateResponse', status: 503 }]);
  });

  test('B7, B8: keeps the status that the director chose, and an exception is a 500, not a 429', () => {
    const typed = new Exchange(new ScriptedDirector(() => rejection('chat', 'Forbidden', 'no', 'forbidden')))
      .requestHeaders()
      .requestBody(chat());
    expect(typed.replies[0]?.status).toBe(403);
    const broken = new Exchange(
      new ScriptedDirector(() => {
        throw new Error('broken scorer');
      }),
    );
    broken.requestHeaders().requestBody(chat());
    expect(broken.replies[0]).toMatchObject({ status: 500 });
    expect(broken.errors).toMatchObject([{ message: 'broken scorer' }]);
  });
});

describe('a request in BUFFERED', () => {
  const start = (director: ScriptedDirector, headers = {}) => new Exchange(director).requestHeaders(headers, modes('BUFFERED'));

  test('lets the headers wait for the body, and decides with the answer to the body', () => {
    const exchange = start(new ScriptedDirector());
    expect(exchange.take()).toEqual([{ kind: 'requestHeaders' }]);
    exchange.requestBody(chat());
    expect(exchange.take()).toMatchObject([
      {
        kind: 'requestBody',
        set: { [DESTINATION]: ENDPOINT },
        clearRouteCache: true,
        metadata: { 'envoy.lb': { [DESTINATION]: ENDPOINT } },
      },
    ]);
  });

  test('replaces the whole body, with its length, when the model changes', () => {
    const exchange = start(new ScriptedDirector(() => route({ targetModel: 'longer-name' })), {
      'content-length': String(chat().length),
    });
    exchange.requestBody(chat());
    const expected = chat({ model: 'longer-name' });
    expect(exchange.replies[1]?.wholeBody?.toString()).toBe(expected);
    expect(exchange.replies[1]?.set?.['content-length']).toBe(String(expected.length));
  });

  test('is whole although trailers follow, which are answered', () => {
    const exchange = start(new ScriptedDirector()).requestBody(chat(), false).requestTrailers();
    expect(exchange.replies.map((reply) => reply.kind)).toEqual(['requestHeaders', 'requestBody', 'requestTrailers']);
  });

  test('is refused when trailers come without a body: its headers could not be changed', () => {
    const exchange = start(new ScriptedDirector()).requestTrailers();
    expect(exchange.replies[1]).toMatchObject({ kind: 'immediateResponse', status: 400 });
  });
});

describe('a request in STREAMED', () => {
  test('is decided without its body, which passes piece by piece', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders({}, modes('STREAMED'));
    expect(exchange.take()).toMatchObject([{ kind: 'requestHeaders', set: { [DESTINATION]: ENDPOINT } }]);
    exchange.requestBody('{"a":', false).requestBody('1}');
    expect(exchange.take()).toEqual([{ kind: 'requestBody' }, { kind: 'requestBody' }]);
    expect(director.asked).toMatchObject([{ body: undefined, model: undefined }]);
    exchange.responseHeaders({}, true);
    expect(director.settled[0]?.outcome.requestBytes).toBe(7);
  });

  test('waits for the body where the proxy sends it before the answer to the headers, and answers each piece', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders({}, modes('STREAMED', 'STREAMED', true));
    exchange.requestBody(chat().slice(0, 9), false).requestBody(chat().slice(9), false);
    expect(exchange.take()).toEqual([]);
    exchange.requestTrailers();
    expect(exchange.take().map((reply) => [reply.kind, reply.wholeBody])).toEqual([
      ['requestHeaders', undefined],
      ['requestBody', undefined],
      ['requestBody', undefined],
      ['requestTrailers', undefined],
    ]);
    expect(director.asked).toMatchObject([{ model: 'llama' }]);
  });

  test('rewrites the model in whichever pieces it lies', () => {
    const body = '{"messages":["x"],"model":"llama","n":1}';
    for (let first = 1; first < body.length - 1; first++) {
      for (let second = first; second < body.length - 1; second += 3) {
        const exchange = new Exchange(new ScriptedDirector(() => route({ targetModel: 'm2' })));
        exchange.requestHeaders({}, modes('STREAMED', 'STREAMED', true));
        const pieces = [body.slice(0, first), body.slice(first, second), body.slice(second)];
        for (const [index, piece] of pieces.entries()) exchange.requestBody(piece, index === 2);
        const answers = exchange.replies.slice(1);
        expect(answers).toHaveLength(3);
        const sent = answers.map((answer, index) => answer.wholeBody?.toString() ?? pieces[index]).join('');
        expect(sent).toBe(body.replace('llama', 'm2'));
      }
    }
  });
});

describe('other modes', () => {
  test('NONE decides by the headers alone', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders({}, modes('NONE'));
    expect(exchange.replies).toMatchObject([{ kind: 'requestHeaders', set: { [DESTINATION]: ENDPOINT } }]);
  });

  test.each([
    ['BUFFERED_PARTIAL', 'NONE', 'request_body_mode 3 is not supported; use FULL_DUPLEX_STREAMED'],
    ['FULL_DUPLEX_STREAMED', 'GRPC', 'response_body_mode 5 is not supported; use FULL_DUPLEX_STREAMED'],
  ])('%s with %s is refused, not served wrongly', (request, response, message) => {
    const exchange = new Exchange(new ScriptedDirector()).requestHeaders({}, modes(request, response));
    expect(exchange.stream.ended).toEqual({ status: 12, message });
    expect(exchange.replies).toEqual([]);
  });

  test('an observing proxy is let go: it would ignore every reply', () => {
    const director = new ScriptedDirector();
    const exchange = new Exchange(director).requestHeaders({}, { observabilityMode: true });
    expect(exchange.stream.ended).toEqual({ status: 0, message: undefined });
    expect(director.asked).toEqual([]);
  });
});
