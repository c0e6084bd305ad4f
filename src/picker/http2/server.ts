import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { BufferBudget } from './buffer-budget';
import { Connection, type ConnectionShared } from './connection';
import { Http2Counters } from './counters';
import { DEFAULT_WINDOW_BYTES } from './frame-types';
import { freeRead } from './free-read';
import type { GrpcMethod } from './grpc';
import { DEFAULT_LIMITS, type Http2Limits } from './limits';

export interface Http2TlsOptions {
  /** PEM. */
  readonly key: string | Buffer;
  /** PEM, with the chain. */
  readonly cert: string | Buffer;
  /** @default 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list, with the suites of TLS 1.3 if they are wanted. @default forward-secret AEAD suites, the ones RFC 9113 appendix A leaves */
  readonly ciphers?: string;
}

export interface Http2ServerOptions {
  readonly methods: readonly GrpcMethod[];
  /** @default DEFAULT_LIMITS */
  readonly limits?: Partial<Http2Limits>;
  /** Without it the server speaks HTTP/2 with prior knowledge (RFC 9113 section 3.3). */
  readonly tls?: Http2TlsOptions;
  /** Told of exceptions of services, connections ended because of an error, and failures to accept. @default nothing */
  readonly onError?: (error: unknown) => void;
}

const HTTP2_CIPHERS = [
  // Node turns TLS 1.3 off when a list names none of its suites.
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
const HANDSHAKE_TIMEOUT_MS = 10_000;
const TCP_KEEP_ALIVE_MS = 60_000;
const SWEEP_INTERVAL_MS = 1000;

/** A gRPC server on HTTP/2 (RFC 9113, gRPC over HTTP2), over plain sockets or TLS with ALPN `h2`. */
export class Http2Server {
  readonly counters = new Http2Counters();
  private readonly server: net.Server;
  /** Accepted, for TLS before the handshake. */
  private readonly sockets = new Set<net.Socket>();
  private readonly connections = new Set<Connection>();
  private draining = false;
  private readonly shared: ConnectionShared;
  private readonly onError: (error: unknown) => void;
  private tlsOptions: Http2TlsOptions | undefined;
  private sweeper: NodeJS.Timeout | undefined;
  private closed: Promise<void> | undefined;

  /** @throws RangeError for a window below 65,535 bytes: peers may use as much before they have read the settings. */
  constructor(options: Http2ServerOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    for (const name of ['streamWindowBytes', 'connectionWindowBytes'] as const) {
      if (limits[name] < DEFAULT_WINDOW_BYTES)
        throw new RangeError(`${name} is ${limits[name]}, at least ${DEFAULT_WINDOW_BYTES} is needed`);
    }
    this.onError = options.onError ?? (() => {});
    this.tlsOptions = options.tls;
    this.shared = {
      limits,
      methods: new Map(options.methods.map((method) => [method.path, method])),
      counters: this.counters,
      budget: new BufferBudget(limits.maxTotalBufferedBytes),
      onError: this.onError,
    };
    this.server = this.tlsOptions === undefined ? this.plainServer() : this.tlsServer(this.tlsOptions);
    this.server.maxConnections = limits.maxConnections;
    this.server.on('drop', () => {
      this.counters.connectionsRefused++;
    });
    this.server.on('connection', (socket: net.Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** @throws the error of the socket, for example EADDRINUSE */
  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    // Running out of file descriptors, or a peer gone before it was accepted: the next one may fare better.
    this.server.on('error', this.onError);
    this.sweeper = setInterval(() => this.sweep(), SWEEP_INTERVAL_MS);
    this.sweeper.unref();
  }

  /** @throws Error before `listen` */
  address(): net.AddressInfo {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the HTTP/2 server does not listen');
    return address;
  }

  /**
   * Uses another key and certificate for connections to come.
   *
   * @throws the error of OpenSSL for a pair that does not fit; what was in use stays in use
   */
  updateTls(key: string | Buffer, cert: string | Buffer): void {
    if (this.tlsOptions === undefined) throw new Error('the HTTP/2 server was made without TLS');
    const changed = { ...this.tlsOptions, key, cert };
    (this.server as tls.Server).setSecureContext(secureContext(changed));
    this.tlsOptions = changed;
  }

  /** Accepts nothing any more, lets open streams finish for at most `timeoutMs`, then closes what is left. */
  async drain(timeoutMs: number): Promise<void> {
    const closed = this.closeListener();
    this.draining = true;
    for (const connection of this.connections) connection.shutdown();
    const timer = setTimeout(() => this.destroyAll(), timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  /** Closes everything at once. */
  async close(): Promise<void> {
    const closed = this.closeListener();
    this.destroyAll();
    await closed;
  }

  private plainServer(): net.Server {
    return net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }, (socket) =>
      this.accept(socket),
    );
  }

  private tlsServer(options: Http2TlsOptions): tls.Server {
    const server = tls.createServer({
      ...secureContext(options),
      ALPNProtocols: ['h2'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
    server.on('secureConnection', (socket) => {
      // RFC 9113 section 3.2: without ALPN it could be any protocol.
      if (socket.alpnProtocol === 'h2') this.accept(socket);
      else socket.destroy();
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
      // A probe that only connects.
      if (error.code !== 'ECONNRESET') this.onError(error);
    });
    return server;
  }

  private accept(socket: net.Socket): void {
    const connection = new Connection(socket, this.shared);
    this.connections.add(connection);
    this.counters.connections++;
    this.counters.connectionsTotal++;
    socket.on('data', (chunk: Buffer) => {
      connection.receive(chunk);
      freeRead(chunk);
    });
    // 'close' follows; a peer that resets its connection is nothing to report.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.connections.delete(connection);
      this.counters.connections--;
      connection.closed();
    });
    if (this.draining) connection.shutdown();
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.connections) connection.sweep(nowMs);
  }

  /** Resolves when nothing is accepted any more and every connection is gone. */
  private closeListener(): Promise<void> {
    this.closed ??= this.whenClosed();
    return this.closed;
  }

  private async whenClosed(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    // The server is done when its file descriptors are; the sockets tell their services a little later.
    await Promise.all([...this.sockets].map((socket) => once(socket, 'close')));
    clearInterval(this.sweeper);
  }

  private destroyAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

function secureContext(options: Http2TlsOptions): tls.SecureContextOptions {
  return {
    key: options.key,
    cert: options.cert,
    minVersion: options.minVersion ?? 'TLSv1.2',
    ciphers: options.ciphers ?? HTTP2_CIPHERS,
    honorCipherOrder: true,
  };
}
