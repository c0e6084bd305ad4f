import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** A real HTTP server that stands for an engine; `answer` may be replaced at any time. */
export class EngineServer {
  public requests = 0;
  public connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    public answer: (request: IncomingMessage, response: ServerResponse) => void,
  ) {
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  public static async start(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    { port = 0, tls, host = '127.0.0.1' }: { port?: number; tls?: { key: string; cert: string }; host?: string } = {},
  ): Promise<EngineServer> {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      self.requests++;
      self.answer(request, response);
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    const self: EngineServer = new EngineServer(server, answer);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    return self;
  }

  public get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Closes connections without a goodbye. */
  public cutConnections(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  public async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Answers with a page of a given text. */
export function page(text: () => string): (request: IncomingMessage, response: ServerResponse) => void {
  return (_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    const body = text();
    response.setHeader('content-length', Buffer.byteLength(body));
    response.end(body);
  };
}

/** Waits until a condition holds; fails after the time given. */
export async function until(condition: () => boolean, what: string, timeoutMs = 4000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
