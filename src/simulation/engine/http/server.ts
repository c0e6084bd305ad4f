import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chatCompletions } from './api-chat';
import { completions } from './api-completions';
import { embeddings } from './api-embeddings';
import { ApiError } from './api-error';
import { currentFaults, injectedError, setFaults } from './api-faults';
import { messages } from './api-messages';
import { loadAdapter, models, unloadAdapter } from './api-models';
import { renderChat, renderCompletion } from './api-render';
import { responses } from './api-responses';
import type { Served } from './generation';
import { METRICS_CONTENT_TYPE, metricsPage } from './metrics-page';
import { type Body, parseBody } from './request-fields';

const MAX_BODY_BYTES = 64 << 20;

const posts: Readonly<Record<string, (served: Served, body: Body, response: ServerResponse) => void>> = {
  '/v1/chat/completions': chatCompletions,
  '/v1/completions': completions,
  '/v1/responses': responses,
  '/v1/messages': messages,
  '/v1/embeddings': embeddings,
  '/v1/chat/completions/render': renderChat,
  '/v1/completions/render': renderCompletion,
  '/v1/load_lora_adapter': loadAdapter,
  '/v1/unload_lora_adapter': unloadAdapter,
  '/simulation/faults': setFaults,
};

/** Those that ask a model. */
const generations: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/embeddings',
]);

const gets: Readonly<Record<string, (served: Served, response: ServerResponse) => void>> = {
  '/v1/models': models,
  '/metrics': (served, response) => {
    if (!served.engine.faults.metricsHang)
      response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE }).end(metricsPage(served));
  },
  '/simulation/faults': currentFaults,
  '/health': ({ engine }, response) => response.writeHead(engine.isReady ? 200 : 503).end(),
};

/** The engine's HTTP server, not yet listening. Every answer carries `headers`. */
export function engineServer(served: Served, headers: Readonly<Record<string, string>>): Server {
  return createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    handle(served, request, response).catch((error: unknown) => fail(error, response));
  });
}

async function handle(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://engine').pathname;
  const handlers = request.method === 'POST' ? posts : gets;
  if (!Object.hasOwn(handlers, path)) {
    if (Object.hasOwn(posts, path) || Object.hasOwn(gets, path))
      throw new ApiError(405, 'MethodNotAllowedError', 'Method Not Allowed');
    throw new ApiError(404, 'NotFoundError', 'Not Found');
  }
  if (request.method !== 'POST') gets[path]!(served, response);
  else {
    const body = parseBody(await readBody(request));
    if (generations.has(path)) injectedError(served);
    posts[path]!(served, body, response);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new ApiError(413, 'BadRequestError', `the request body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function fail(error: unknown, response: ServerResponse): void {
  // A client that went away while its body was read gets no answer.
  if (response.destroyed) return;
  const known = error instanceof ApiError ? error : new ApiError(500, 'InternalServerError', String(error));
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = known.body();
  response.writeHead(known.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}
