import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Exchange, type ExchangeHost } from './exchange';
import { headerList, withoutControlHeaders } from './header-lists';
import type { HeaderList } from './messages';
import { findTarget, type ProxyRoute } from './routing';

export interface EmbeddedProxyOptions {
  /** First match first. */
  readonly routes: readonly ProxyRoute[];
  /** `host:port` of the engines of a pool. */
  readonly poolEndpoints: ExchangeHost['poolEndpoints'];
  /** Set on every request after the client's control headers are gone: what a gateway says of a client it has verified. @default [] */
  readonly addHeaders?: HeaderList;
  /** @default 2 */
  readonly retries?: number;
  /** @default 300000 */
  readonly idleMs?: number;
}

const DEFAULT_IDLE_MS = 300_000;

/**
 * Stands in for Envoy where there is none: HTTP/1.1 in, ext_proc with pickers, HTTP/1.1 to engines. For a laptop: it holds a whole request
 * body in memory, and knows neither TLS nor trailers.
 */
export function embeddedProxy(options: EmbeddedProxyOptions): Server {
  const { routes, addHeaders = [] } = options;
  const host: ExchangeHost = {
    poolEndpoints: options.poolEndpoints,
    retries: options.retries ?? 2,
    idleMs: options.idleMs ?? DEFAULT_IDLE_MS,
  };
  return createServer((client, response) => {
    const headers: HeaderList = [
      ...pseudoHeaders(client),
      ...withoutControlHeaders(headerList(client.rawHeaders)),
      ...addHeaders,
    ];
    const target = findTarget(routes, headers, Math.random());
    if (target === undefined) notFound(client, response);
    else new Exchange(client, response, target, headers, host);
  });
}

function pseudoHeaders(client: IncomingMessage): HeaderList {
  return [
    [':method', client.method ?? 'GET'],
    [':path', client.url ?? '/'],
    [':authority', client.headers.host ?? ''],
    [':scheme', 'http'],
  ];
}

function notFound(client: IncomingMessage, response: ServerResponse): void {
  client.resume();
  const body = JSON.stringify({ error: { message: `no route matches ${client.url}`, type: 'not_found', code: 404 } });
  response.writeHead(404, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}
