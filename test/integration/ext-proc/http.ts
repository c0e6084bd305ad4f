import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: Record<string, unknown>;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly trailers?: Record<string, string>;
  /** Called for each chunk of the answer; destroys the request when it returns false. */
  readonly onChunk?: (chunk: Buffer) => boolean;
}

/** Over HTTP/1.1; rejects when the connection breaks. */
export function sendHttp1(port: number, sent: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = sent.body === undefined ? undefined : Buffer.from(sent.body);
    const length: Record<string, string> =
      body === undefined || sent.trailers !== undefined ? {} : { 'content-length': String(body.length) };
    const options = {
      port,
      host: '127.0.0.1',
      method: sent.method ?? 'POST',
      path: sent.path ?? '/v1/chat/completions',
      agent: false,
    };
    const request = http.request({
      ...options,
      headers: { ...length, ...sent.headers, ...(sent.trailers ? { trailer: Object.keys(sent.trailers).join() } : {}) },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (sent.onChunk?.(chunk) === false) request.destroy(new Error('given up by the client'));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          trailers: response.trailers,
        }),
      );
    });
    if (body !== undefined) request.write(body);
    if (sent.trailers !== undefined) request.addTrailers(sent.trailers);
    request.end();
  });
}

/** Over HTTP/2 with prior knowledge. */
export function sendHttp2(port: number, sent: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const hasBody = sent.body !== undefined;
    const request = session.request(
      { ':method': sent.method ?? 'POST', ':path': sent.path ?? '/v1/chat/completions', ...sent.headers },
      { endStream: !hasBody, waitForTrailers: sent.trailers !== undefined },
    );
    let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    let trailers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    request.on('error', reject);
    request.on('wantTrailers', () => request.sendTrailers(sent.trailers ?? {}));
    request.on('response', (received) => (headers = received));
    request.on('trailers', (received) => (trailers = received));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      session.close();
      resolve({ status: headers[':status'] ?? 0, headers, body: Buffer.concat(chunks), trailers });
    });
    if (hasBody) request.end(sent.body);
  });
}

/** What an engine received. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: NodeJS.Dict<string>;
}

export interface Engine {
  readonly address: string;
  readonly received: Received[];
  close(): Promise<void>;
}

/** A server that keeps what it got and lets the test answer. */
export async function startEngine(answer: (received: Received, response: http.ServerResponse) => void): Promise<Engine> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers, trailers } = request;
      const seen: Received = { method, url, headers, body: Buffer.concat(chunks), trailers };
      received.push(seen);
      answer(seen, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
