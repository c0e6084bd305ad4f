import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import { type BodyBuffers, HttpResponseReader } from './http-response-reader';

export interface ScrapeConnectionOptions {
  readonly address: string;
  readonly port: number;
  /** @default `/metrics` */
  readonly path: string;
  /** TLS with these options; undefined for plain HTTP. */
  readonly tls: ConnectionOptions | undefined;
  readonly maxPageBytes: number;
}

/** The reason of a failure when nothing listens at the port. */
export const REFUSED = 'ECONNREFUSED';

/** Told once for each `request`. */
export interface ScrapeListener {
  /** `page` is only valid during the call. */
  onPage(page: Buffer): void;
  onFailure(reason: string): void;
}

/** Sockets of one thread read into the same memory: each read is consumed before the next begins. */
const READ_BUFFER = Buffer.allocUnsafe(64 * 1024);

/**
 * One endpoint's metrics page over one kept-alive HTTP/1.1 connection, opened when needed. `node:http` and undici cost three times the
 * CPU for this one fixed request.
 */
export class ScrapeConnection {
  private readonly requestBytes: Buffer;
  private readonly reader: HttpResponseReader;
  private socket: Socket | undefined;
  private isWaiting = false;
  /** The socket has answered before: it may have been closed by the server while it was idle. */
  private isReused = false;

  public constructor(
    private readonly options: ScrapeConnectionOptions,
    buffers: BodyBuffers,
    private readonly listener: ScrapeListener,
  ) {
    const host = formatHostPort(options.address, options.port);
    this.requestBytes = Buffer.from(
      `GET ${options.path} HTTP/1.1\r\nhost: ${host}\r\naccept: text/plain;version=0.0.4\r\nuser-agent: cdk8s-ai-gateway-picker\r\n\r\n`,
      'latin1',
    );
    this.reader = new HttpResponseReader(buffers, options.maxPageBytes);
  }

  /** False until the connection has been opened since the last `close`: whatever was learnt from an earlier one may be outdated. */
  public get isKept(): boolean {
    return this.socket !== undefined && this.isReused;
  }

  /** Asks for the page. Not to be called while an answer is due. */
  public request(): void {
    this.isWaiting = true;
    if (this.socket === undefined) this.open();
    this.socket!.write(this.requestBytes);
  }

  /** Gives up the answer that is due. */
  public abort(reason: string): void {
    if (this.isWaiting) this.fail(reason);
  }

  /** Ends the connection; no further callback. */
  public close(): void {
    this.isWaiting = false;
    this.drop();
  }

  private open(): void {
    this.isReused = false;
    const { address, port, tls } = this.options;
    const onread = {
      buffer: READ_BUFFER,
      callback: (length: number, bytes: Uint8Array): boolean => {
        if (this.socket === socket) this.onBytes(bytes as Buffer, length);
        return true;
      },
    };
    const target = { host: address, port, onread };
    const socket: Socket = tls === undefined ? connectTcp(target) : connectTls({ ...tls, ...target } as ConnectionOptions);
    socket.setNoDelay(true);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.socket === socket) this.onLost(error.code ?? error.message);
    });
    socket.on('close', () => {
      if (this.socket === socket) this.onEnd();
    });
    this.socket = socket;
  }

  private onBytes(bytes: Buffer, length: number): void {
    if (!this.isWaiting) {
      this.drop();
      return;
    }
    this.reader.push(bytes, 0, length);
    if (this.reader.hasFailed) this.fail(this.reader.failure);
    else if (this.reader.isDone) this.deliver();
  }

  private onEnd(): void {
    if (!this.isWaiting) {
      this.drop();
      return;
    }
    if (this.reader.isUntouched) {
      this.onLost('the connection closed without an answer');
      return;
    }
    this.reader.end();
    if (this.reader.isDone) this.deliver();
    else this.fail(this.reader.failure);
  }

  private onLost(reason: string): void {
    const mayRetry = this.isWaiting && this.isReused && this.reader.isUntouched;
    if (!mayRetry) {
      this.fail(reason);
      return;
    }
    // the server closed an idle connection while the request was on its way: no sign of trouble
    this.drop();
    this.request();
  }

  private deliver(): void {
    const { reader } = this;
    if (reader.status !== 200) {
      this.fail(`HTTP status ${reader.status}`);
      return;
    }
    this.isWaiting = false;
    this.isReused = true;
    const isKept = reader.keepAlive;
    this.listener.onPage(reader.body!.subarray(0, reader.bodyLength));
    reader.reset();
    if (!isKept) this.drop();
  }

  private fail(reason: string): void {
    const wasWaiting = this.isWaiting;
    this.close();
    if (wasWaiting) this.listener.onFailure(reason);
  }

  private drop(): void {
    const { socket } = this;
    this.socket = undefined;
    this.reader.reset();
    socket?.destroy();
  }
}
