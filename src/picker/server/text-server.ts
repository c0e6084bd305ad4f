import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TlsMaterial } from './tls-material';

/** A page; its pieces are sent one by one, and other work goes on between them. */
export interface Page {
  readonly contentType: string;
  /**
   * @param rest of the path, for a page whose path ends with a slash
   * @returns undefined where there is nothing at that path
   */
  pieces(query: URLSearchParams, rest: string): Iterable<string> | AsyncIterable<string> | undefined;
}

export interface TextServerTls extends TlsMaterial {
  /** PEM of the CA that clients must have their certificates from. @default clients are not asked */
  readonly clientCa?: string;
}

/** A small server of text pages: /metrics, /debug. Plain node:http, because nothing here is in the way of a request. */
export class TextServer {
  private readonly server: http.Server | https.Server;

  public constructor(
    private readonly pages: ReadonlyMap<string, Page>,
    private readonly onError: (error: unknown) => void,
    tls?: TextServerTls,
  ) {
    const handler = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      this.answer(request, response).catch((error: unknown) => {
        onError(error);
        response.destroy();
      });
    };
    const { key, cert, clientCa } = tls ?? {};
    const verify = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    this.server = tls === undefined ? http.createServer(handler) : https.createServer({ key, cert, ...verify }, handler);
    this.server.requestTimeout = 10_000;
    this.server.maxConnections = 64;
  }

  /** @throws the error of the socket, for example EADDRINUSE */
  public async listen(port: number, host: string | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        this.server.on('error', this.onError);
        resolve();
      });
    });
  }

  /** Undefined while it does not listen. */
  public get port(): number | undefined {
    return (this.server.address() as AddressInfo | null)?.port;
  }

  public close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://picker');
    const [page, rest] = this.find(url.pathname);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const pieces = isRead ? page?.pieces(url.searchParams, rest) : undefined;
    if (page === undefined || pieces === undefined) {
      response.writeHead(page === undefined || isRead ? 404 : 405, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(
        isRead
          ? page === undefined
            ? `There is ${[...this.pages.keys()].join(', ')}.\n`
            : 'Nothing is there.\n'
          : 'Only GET.\n',
      );
      return;
    }
    response.writeHead(200, { 'content-type': page.contentType });
    for await (const piece of pieces) {
      response.write(piece);
      await nextTurn();
    }
    response.end();
  }

  /** The page of a path, or the one whose path it begins with, and what follows. */
  private find(path: string): [page: Page | undefined, rest: string] {
    const exact = this.pages.get(path);
    if (exact !== undefined) return [exact, ''];
    const end = path.lastIndexOf('/') + 1;
    return [end < path.length ? this.pages.get(path.slice(0, end)) : undefined, decoded(path.slice(end))];
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
