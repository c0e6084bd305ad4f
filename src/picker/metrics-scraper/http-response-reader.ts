const MAX_HEAD_BYTES = 32 * 1024;
const MAX_CHUNK_LINE_BYTES = 1024;
const FIRST_BODY_BYTES = 32 * 1024;
/** Bodies kept for the next response; more arrive at once only in a rush. */
const MAX_SPARE_BODIES = 8;

const State = {
  HEAD: 0,
  LENGTH: 1,
  CHUNK_SIZE: 2,
  CHUNK_DATA: 3,
  CHUNK_END: 4,
  TRAILERS: 5,
  UNTIL_CLOSE: 6,
  DONE: 7,
  FAILED: 8,
} as const;
type State = (typeof State)[keyof typeof State];

const LINE_FEED = 0x0a;

/** Spare body buffers of all connections of a thread. */
export class BodyBuffers {
  private readonly spare: Buffer[] = [];

  public take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafe(FIRST_BODY_BYTES);
  }

  public give(buffer: Buffer): void {
    if (this.spare.length < MAX_SPARE_BODIES) this.spare.push(buffer);
  }
}

/**
 * Reads one HTTP/1.1 response (RFC 9112) from pieces of any size: a body by content-length, chunked, or up to the end of the connection.
 * Bytes are copied into one buffer that grows as needed up to `maxBodyBytes`.
 */
export class HttpResponseReader {
  /** The body so far: the first `bodyLength` bytes. Undefined before the head is complete. */
  public body: Buffer | undefined;
  public bodyLength = 0;
  public status = 0;
  /** False when the server closes the connection after this response. */
  public keepAlive = true;
  /** Why it cannot be read. */
  public failure = '';

  private state: State = State.HEAD;
  private head = Buffer.allocUnsafe(1024);
  private headLength = 0;
  /** Bytes to come of the body or chunk. */
  private remaining = 0;

  public constructor(
    private readonly buffers: BodyBuffers,
    private readonly maxBodyBytes: number,
  ) {}

  public get isDone(): boolean {
    return this.state === State.DONE;
  }

  public get hasFailed(): boolean {
    return this.state === State.FAILED;
  }

  /** True before the first byte. */
  public get isUntouched(): boolean {
    return this.state === State.HEAD && this.headLength === 0;
  }

  /** Gets ready for the next response, and gives the body back. */
  public reset(): void {
    if (this.body !== undefined) this.buffers.give(this.body);
    this.body = undefined;
    this.bodyLength = 0;
    this.status = 0;
    this.keepAlive = true;
    this.failure = '';
    this.state = State.HEAD;
    this.headLength = 0;
    this.remaining = 0;
  }

  public push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && this.state !== State.FAILED) {
      switch (this.state) {
        case State.HEAD:
          at = this.pushLine(bytes, at, end, MAX_HEAD_BYTES, 'the response head is too long');
          if (this.endsHead()) this.readHead();
          break;
        case State.LENGTH:
        case State.CHUNK_DATA:
        case State.UNTIL_CLOSE:
          at += this.pushBody(bytes, at, this.state === State.UNTIL_CLOSE ? end : Math.min(end, at + this.remaining));
          break;
        case State.CHUNK_SIZE:
          at = this.pushLine(bytes, at, end, MAX_CHUNK_LINE_BYTES, 'a chunk-size line is too long');
          if (this.endsLine()) this.readChunkSize();
          break;
        case State.CHUNK_END:
          at = this.pushLine(bytes, at, end, 2, 'a chunk is longer than its size says');
          if (this.endsLine()) this.expect(State.CHUNK_SIZE);
          break;
        case State.TRAILERS:
          at = this.pushLine(bytes, at, end, MAX_HEAD_BYTES, 'the trailers are too long');
          if (this.endsLine()) this.readTrailer();
          break;
        case State.DONE:
          this.fail('bytes follow the response');
          break;
      }
    }
  }

  /** The connection has ended. */
  public end(): void {
    if (this.state === State.UNTIL_CLOSE) this.state = State.DONE;
    else if (this.state !== State.DONE) this.fail('the connection closed before the response was complete');
  }

  /** Collects bytes up to and with the next line feed. */
  private pushLine(bytes: Buffer, start: number, end: number, maxBytes: number, tooLong: string): number {
    const feed = bytes.indexOf(LINE_FEED, start);
    const stop = feed === -1 || feed >= end ? end : feed + 1;
    const length = this.headLength + stop - start;
    if (length > maxBytes) {
      this.fail(tooLong);
      return end;
    }
    if (length > this.head.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.head.length * 2));
      this.head.copy(larger, 0, 0, this.headLength);
      this.head = larger;
    }
    bytes.copy(this.head, this.headLength, start, stop);
    this.headLength = length;
    return stop;
  }

  private endsLine(): boolean {
    return this.state !== State.FAILED && this.headLength > 0 && this.head[this.headLength - 1] === LINE_FEED;
  }

  /** A line that is empty but for its end. */
  private endsHead(): boolean {
    if (!this.endsLine()) return false;
    const text = this.head.toString('latin1', Math.max(0, this.headLength - 4), this.headLength);
    return text.endsWith('\n\r\n') || text.endsWith('\n\n');
  }

  private readHead(): void {
    const [statusLine = '', ...lines] = this.head.toString('latin1', 0, this.headLength).split(/\r?\n/);
    const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine);
    if (match === null) {
      this.fail(`not an HTTP/1.1 response: '${statusLine.slice(0, 60)}'`);
      return;
    }
    const fields = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    this.status = Number(match[2]);
    if (this.status >= 100 && this.status < 200) {
      this.expect(State.HEAD);
      return;
    }
    const connection = (fields.get('connection') ?? '').toLowerCase();
    this.keepAlive = match[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive');
    const encoding = fields.get('content-encoding') ?? 'identity';
    const transferEncoding = fields.get('transfer-encoding');
    const contentLength = fields.get('content-length');
    if (encoding !== 'identity') {
      this.fail(`content-encoding ${encoding}, which was not asked for`);
    } else if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked') {
      this.fail(`transfer-encoding '${transferEncoding}' is not chunked`);
    } else if (contentLength !== undefined && !/^\d{1,15}$/.test(contentLength)) {
      this.fail(`content-length '${contentLength}' is not a number`);
    } else {
      this.body = this.buffers.take();
      this.beginBody(transferEncoding !== undefined, contentLength === undefined ? undefined : Number(contentLength));
    }
  }

  private beginBody(isChunked: boolean, contentLength: number | undefined): void {
    if (isChunked) {
      this.expect(State.CHUNK_SIZE);
    } else if (this.status === 204 || this.status === 304) {
      this.state = State.DONE;
    } else if (contentLength === undefined) {
      this.keepAlive = false;
      this.state = State.UNTIL_CLOSE;
    } else if (contentLength > this.maxBodyBytes) {
      // refused before the first byte, not after the last
      this.tooLarge();
    } else {
      this.remaining = contentLength;
      this.state = contentLength === 0 ? State.DONE : State.LENGTH;
    }
  }

  private readChunkSize(): void {
    const match = /^([0-9a-f]{1,8})[ \t]*(?:;|\r?\n)/i.exec(this.head.toString('latin1', 0, this.headLength));
    if (match === null) {
      this.fail('a chunk size is not a number');
      return;
    }
    this.remaining = Number.parseInt(match[1]!, 16);
    this.expect(this.remaining === 0 ? State.TRAILERS : State.CHUNK_DATA);
  }

  private readTrailer(): void {
    const isLast = this.headLength <= 2 && this.head.toString('latin1', 0, this.headLength).trim() === '';
    this.expect(isLast ? State.DONE : State.TRAILERS);
  }

  private pushBody(bytes: Buffer, start: number, end: number): number {
    const length = end - start;
    const total = this.bodyLength + length;
    if (total > this.maxBodyBytes) {
      this.tooLarge();
      return length;
    }
    if (total > this.body!.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.maxBodyBytes, Math.max(total, this.body!.length * 2)));
      this.body!.copy(larger, 0, 0, this.bodyLength);
      this.body = larger;
    }
    bytes.copy(this.body!, this.bodyLength, start, end);
    this.bodyLength = total;
    if (this.state === State.UNTIL_CLOSE) return length;
    this.remaining -= length;
    if (this.remaining === 0) this.expect(this.state === State.LENGTH ? State.DONE : State.CHUNK_END);
    return length;
  }

  private expect(state: State): void {
    this.state = state;
    this.headLength = 0;
  }

  private tooLarge(): void {
    this.fail(`the page is larger than ${this.maxBodyBytes} bytes`);
  }

  private fail(reason: string): void {
    this.state = State.FAILED;
    this.failure = reason;
  }
}
