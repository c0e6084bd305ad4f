import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type PickerReply, readReply } from './messages';

const PROCESS = {
  ':method': 'POST',
  ':path': '/envoy.service.ext_proc.v3.ExternalProcessor/Process',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const WINDOW_BYTES = 1 << 20;

export interface DialogueListener {
  onReply(reply: PickerReply): void;
  /** No reply comes any more. @param ok the picker ended it in order */
  onEnd(ok: boolean): void;
}

/** Dialogues with one picker, over one connection that is made again when it is lost. */
export class PickerConnection {
  private session: ClientHttp2Session | undefined;

  public constructor(private readonly port: number) {}

  public open(listener: DialogueListener): Dialogue {
    if (this.session === undefined || this.session.closed || this.session.destroyed) this.session = this.connect();
    return new Dialogue(this.session.request(PROCESS), listener);
  }

  public close(): void {
    this.session?.destroy();
  }

  private connect(): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${this.port}`, { settings: { initialWindowSize: WINDOW_BYTES } });
    // Each dialogue tells of its own failure.
    session.on('error', () => undefined);
    session.on('connect', () => session.setLocalWindowSize(16 * WINDOW_BYTES));
    return session;
  }
}

/** One ext_proc stream: messages out, replies in. */
export class Dialogue {
  private rest: Buffer = Buffer.alloc(0);
  private ended = false;

  public constructor(
    private readonly stream: ClientHttp2Stream,
    private readonly listener: DialogueListener,
  ) {
    let grpcStatus: string | undefined;
    const note = (headers: { 'grpc-status'?: string | string[] }): void => {
      grpcStatus = headers['grpc-status']?.toString() ?? grpcStatus;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => this.take(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => this.end(grpcStatus === '0'));
  }

  /** @returns false when the picker does not keep up: go on after `onDrain` */
  public send(message: Buffer): boolean {
    return this.ended || this.stream.writableEnded || this.stream.write(message);
  }

  public onDrain(resume: () => void): void {
    this.stream.once('drain', resume);
  }

  public pause(): void {
    this.stream.pause();
  }

  public resume(): void {
    this.stream.resume();
  }

  /** Everything was said. */
  public finish(): void {
    if (!this.stream.writableEnded) this.stream.end();
  }

  public cancel(): void {
    this.ended = true;
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private take(chunk: Buffer): void {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (bytes.length >= 5 && !this.ended) {
      const end = 5 + bytes.readUInt32BE(1);
      if (bytes.length < end) break;
      const message = bytes.subarray(5, end);
      bytes = bytes.subarray(end);
      try {
        this.listener.onReply(readReply(message));
      } catch {
        this.cancel();
        this.listener.onEnd(false);
        return;
      }
    }
    this.rest = bytes;
  }

  private end(ok: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.listener.onEnd(ok);
  }
}
