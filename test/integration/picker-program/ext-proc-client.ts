import http2 from 'node:http2';
import { decodeResponse, encodeRequest, headerMap, type Reply } from '../../fixtures/ext-proc/messages';

/** Calls ext_proc as Envoy does, through Node's own HTTP/2. */
export class ExtProcClient {
  private readonly session: http2.ClientHttp2Session;

  public constructor(url: string, options: http2.SecureClientSessionOptions = {}) {
    this.session = http2.connect(url, options);
    this.session.on('error', () => {});
  }

  public open(): ExtProcStream {
    return new ExtProcStream(
      this.session.request({
        ':method': 'POST',
        ':path': '/envoy.service.ext_proc.v3.ExternalProcessor/Process',
        'content-type': 'application/grpc',
        te: 'trailers',
      }),
    );
  }

  /** The status of a service, in words. */
  public async health(service: string): Promise<string> {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(framed(Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)])));
    await new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    return ['UNKNOWN', 'SERVING', 'NOT_SERVING'][Buffer.concat(chunks)[6] ?? 0]!;
  }

  public close(): void {
    this.session.close();
  }

  public destroy(): void {
    this.session.destroy();
  }
}

/** One ext_proc stream: messages go out, replies are waited for one by one. */
export class ExtProcStream {
  private readonly replies: Reply[] = [];
  private readonly waiting: ((reply: Reply | undefined) => void)[] = [];
  private received = Buffer.alloc(0);
  /** gRPC status of the end; undefined for a stream that was cut. */
  public readonly ended: Promise<string | undefined>;

  public constructor(private readonly stream: http2.ClientHttp2Stream) {
    let status: string | undefined;
    // an end without any message comes as headers alone
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
    });
    stream.on('trailers', (trailers) => {
      status = String(trailers['grpc-status']);
    });
    stream.on('data', (chunk: Buffer) => this.take(chunk));
    stream.on('error', () => {});
    this.ended = new Promise((resolve) => {
      stream.on('close', () => {
        for (const waiter of this.waiting) waiter(undefined);
        resolve(status);
      });
    });
  }

  public send(message: object): void {
    this.sendBytes(encodeRequest(message));
  }

  /** A gRPC message that may be none of ext_proc. */
  public sendBytes(bytes: Buffer): void {
    this.stream.write(framed(bytes));
  }

  /** Headers and the whole body of a chat request, as Envoy sends them in full duplex. */
  public chat(model: string, content: string, headers: Record<string, string> = {}): void {
    this.post('/v1/chat/completions', JSON.stringify({ model, messages: [{ role: 'user', content }], stream: true }), headers);
  }

  public post(path: string, body: string, headers: Record<string, string> = {}): void {
    const all = { ':method': 'POST', ':path': path, 'content-type': 'application/json', ...headers };
    this.send({ requestHeaders: { headers: headerMap(all) } });
    this.send({ requestBody: { body: Buffer.from(body), endOfStream: true } });
  }

  /** Headers, one chunk and the end of an answer. */
  public answer(body: string): void {
    this.send({ responseHeaders: { headers: headerMap({ ':status': '200', 'content-type': 'text/event-stream' }) } });
    this.send({ responseBody: { body: Buffer.from(body), endOfStream: true } });
  }

  /** The next reply; undefined when the stream is over. */
  public async next(): Promise<Reply | undefined> {
    const ready = this.replies.shift();
    if (ready !== undefined || this.stream.closed) return ready;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  public end(): void {
    this.stream.end();
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    while (this.received.length >= 5) {
      const end = 5 + this.received.readUInt32BE(1);
      if (this.received.length < end) return;
      const reply = decodeResponse(this.received.subarray(5, end));
      this.received = this.received.subarray(end);
      const waiter = this.waiting.shift();
      if (waiter === undefined) this.replies.push(reply);
      else waiter(reply);
    }
  }
}

/** The endpoint that a request was sent to. */
export async function destinationOf(stream: ExtProcStream): Promise<string | undefined> {
  return (await stream.next())?.set?.['x-gateway-destination-endpoint'];
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
