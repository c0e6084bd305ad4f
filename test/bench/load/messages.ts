import { seededRandom } from '../../../src/simulation/engine/core/random';

/** Protobuf wire format (protobuf.dev/programming-guides/encoding), only what a client of ext_proc writes. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) | 0x80);
  }
}

function message(field: number, ...parts: Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint(field * 8 + 2), varint(length), ...parts]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function headerMap(headers: Readonly<Record<string, string>>): Buffer {
  // Envoy sends values as raw_value (3), because they need not be UTF-8.
  const values = Object.entries(headers).map(([key, value]) =>
    message(1, message(1, Buffer.from(key)), message(3, Buffer.from(value))),
  );
  return message(1, ...values);
}

function grpc(payload: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

const FULL_DUPLEX_STREAMED = 4;

/** `ProcessingRequest.request_headers` with the protocol configuration that Envoy adds to a stream's first message. */
export function requestHeaders(bodyBytes: number): Buffer {
  const mode = message(11, integer(1, FULL_DUPLEX_STREAMED), integer(2, FULL_DUPLEX_STREAMED));
  return grpc(Buffer.concat([message(2, headerMap(clientHeaders(bodyBytes))), mode]));
}

/** `ProcessingRequest.request_body` messages of at most 64 KB, the last one with `end_of_stream`. */
export function requestBody(body: Buffer): Buffer {
  return bodyMessages(4, body, true);
}

export function responseHeaders(): Buffer {
  return grpc(message(3, headerMap(engineHeaders)));
}

/** `ProcessingRequest.response_body`: one chunk of an answer. */
export function responseBody(chunk: Buffer, last: boolean): Buffer {
  return bodyMessages(5, chunk, last);
}

function bodyMessages(field: number, body: Buffer, last: boolean): Buffer {
  const messages: Buffer[] = [];
  const CHUNK_BYTES = 65_536;
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES);
    const ends = last && at + CHUNK_BYTES >= body.length;
    messages.push(grpc(ends ? message(field, message(1, chunk), integer(2, 1)) : message(field, message(1, chunk))));
  }
  return Buffer.concat(messages);
}

/** 24 headers, as many as a browser's request has behind a gateway. */
function clientHeaders(bodyBytes: number): Record<string, string> {
  return {
    ':authority': 'models.example.com',
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    ':scheme': 'https',
    'content-type': 'application/json',
    'content-length': String(bodyBytes),
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'gzip, deflate, br',
    'accept-language': 'en-GB,en;q=0.9',
    authorization: 'Bearer sk-0123456789abcdef0123456789abcdef',
    'user-agent': 'OpenAI/JS 6.1.0',
    'x-stainless-arch': 'x64',
    'x-stainless-lang': 'js',
    'x-stainless-os': 'Linux',
    'x-stainless-package-version': '6.1.0',
    'x-stainless-retry-count': '0',
    'x-stainless-runtime': 'node',
    'x-stainless-runtime-version': 'v24.9.0',
    'x-forwarded-for': '203.0.113.17',
    'x-forwarded-proto': 'https',
    'x-envoy-external-address': '203.0.113.17',
    'x-request-id': '5f0c0a0e-9a5d-4b6e-8f2e-3c1d0b9a8e7f',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'x-team': 'search',
  };
}

const engineHeaders = {
  ':status': '200',
  server: 'uvicorn',
  date: 'Mon, 23 Nov 2026 12:00:00 GMT',
  'content-type': 'text/event-stream; charset=utf-8',
  'transfer-encoding': 'chunked',
  'x-envoy-upstream-service-time': '41',
};

const vocabulary = 'model route token cache prefix engine gateway answer question the of and to in a is that for it with'.split(
  ' ',
);

/** A chat completion body of exactly `bytes`, with escapes as in real prompts; another seed gives another text from its first word on. */
export function chatBody(bytes: number, seed: number, start = ''): Buffer {
  const random = seededRandom(seed);
  const head = '{"model":"llama","messages":[{"role":"user","content":"';
  const tail = '"}],"max_tokens":128,"temperature":0.7,"stream":true,"stream_options":{"include_usage":true}}';
  const room = bytes - head.length - tail.length;
  if (room < 1) throw new Error(`a chat body has at least ${head.length + tail.length + 1} bytes (asked for ${bytes})`);
  let text = start;
  while (text.length < room) {
    const draw = random();
    text += vocabulary[Math.floor(random() * vocabulary.length)]! + (draw < 0.02 ? '\\n' : draw < 0.03 ? ' \\"q\\" ' : ' ');
  }
  // A cut in the middle of an escape would break the JSON.
  return Buffer.from(head + text.slice(0, room).replace(/\\$/, '.') + tail);
}

/** One event of a streamed answer, about 230 bytes as vLLM's are. */
export function tokenEvent(): Buffer {
  const choice = { index: 0, delta: { content: ' token' }, logprobs: null, finish_reason: null, token_ids: null };
  const chunk = {
    id: 'chatcmpl-5f0c0a0e9a5d4b6e8f2e3c1d0b9a8e7f',
    object: 'chat.completion.chunk',
    created: 1795000000,
    model: 'llama',
    choices: [choice],
  };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

export function usageEvent(): Buffer {
  const usage = { prompt_tokens: 250, completion_tokens: 100, total_tokens: 350, prompt_tokens_details: { cached_tokens: 128 } };
  const chunk = {
    id: 'chatcmpl-5f0c0a0e9a5d4b6e8f2e3c1d0b9a8e7f',
    object: 'chat.completion.chunk',
    created: 1795000000,
    model: 'llama',
    choices: [],
    usage,
  };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
}
