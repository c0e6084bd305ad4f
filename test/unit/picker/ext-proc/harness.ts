import type { Decision, Director, Outcome, RequestFacts, RouteDecision } from '../../../../src/picker/ext-proc/director';
import { externalProcessor } from '../../../../src/picker/ext-proc/external-processor';
import type { ExtProcOptions } from '../../../../src/picker/ext-proc/service-context';
import type { GrpcCall, GrpcStream } from '../../../../src/picker/http2/grpc';
import { decodeResponse, encodeRequest, type Headers, headerMap, type Reply } from '../../../fixtures/ext-proc/messages';

/** A stream that keeps what was sent. */
export class RecordedStream implements GrpcStream {
  readonly replies: Reply[] = [];
  readonly sizes: number[] = [];
  ended: { status: number; message: string | undefined } | undefined;
  flushes = 0;
  pendingBytes = 0;
  closed = false;

  send(message: Buffer, start: number, length: number): boolean {
    if (this.ended !== undefined) throw new Error('sent after the end');
    this.sizes.push(length);
    this.replies.push(decodeResponse(Buffer.from(message.subarray(start, start + length))));
    return true;
  }

  sendParts(
    prefix: Buffer,
    prefixLength: number,
    body: Buffer,
    bodyStart: number,
    bodyLength: number,
    suffix: Buffer,
    suffixLength: number,
  ): boolean {
    const parts = [
      prefix.subarray(0, prefixLength),
      body.subarray(bodyStart, bodyStart + bodyLength),
      suffix.subarray(0, suffixLength),
    ];
    const joined = Buffer.concat(parts);
    return this.send(joined, 0, joined.length);
  }

  end(status: number, message?: string): void {
    if (this.ended !== undefined) throw new Error('ended twice');
    this.ended = { status, message };
  }

  flush(): void {
    this.flushes++;
  }
}

export const ENDPOINT = '10.0.0.1:8000';

export function route(changes: Partial<RouteDecision> = {}): RouteDecision {
  return {
    kind: 'route',
    destination: ENDPOINT,
    targetModel: undefined,
    setHeaders: undefined,
    observeResponse: true,
    ticket: undefined,
    ...changes,
  };
}

/** What the director saw, copied: request objects are used again. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly model: string | undefined;
  readonly subset: readonly string[] | undefined;
  readonly facts: RequestFacts;
}

/** A director that does what the test says, and keeps what it was asked. */
export class ScriptedDirector implements Director {
  readonly asked: Asked[] = [];
  readonly settled: { decision: RouteDecision; outcome: Outcome }[] = [];
  /** Between the chunks of streams. */
  readonly gapsMs: number[] = [];
  abandoned = 0;
  resume: ((decision: Decision) => void) | undefined;

  constructor(readonly answer: (facts: RequestFacts) => Decision | undefined = () => route()) {}

  decide(request: RequestFacts, resume: (decision: Decision) => void): Decision | undefined {
    this.asked.push({
      method: request.method,
      path: request.path,
      body: request.body?.toString(),
      model: request.scanned?.model,
      subset: request.subset,
      facts: request,
    });
    this.resume = resume;
    return this.answer(request);
  }

  abandon(): void {
    this.abandoned++;
  }

  streamed(_decision: RouteDecision, gapMs: number): void {
    this.gapsMs.push(gapMs);
  }

  settle(_request: RequestFacts, decision: RouteDecision, outcome: Outcome): void {
    this.settled.push({ decision, outcome });
  }
}

/** One call of the service, driven as a proxy does. */
export class Exchange {
  readonly stream = new RecordedStream();
  readonly errors: unknown[] = [];
  private readonly call: GrpcCall;

  constructor(
    director: Director,
    options: Partial<ExtProcOptions> = {},
    method = externalProcessor({ director, onError: (error) => this.errors.push(error), ...options }),
  ) {
    this.call = method.open(this.stream);
  }

  /** In the middle of other bytes that change after the call, as in a socket's read buffer. */
  message(message: object): this {
    return this.bytes(encodeRequest(message));
  }

  bytes(encoded: Buffer): this {
    const around = Buffer.alloc(encoded.length + 20, 0xff);
    encoded.copy(around, 7);
    this.call.onMessage(around, 7, 7 + encoded.length);
    around.fill(0xee);
    return this;
  }

  requestHeaders(headers: Headers = {}, more: object = {}, endOfStream = false): this {
    const all = { ':method': 'POST', ':path': '/v1/chat/completions', 'x-request-id': 'r-1', ...headers };
    return this.message({ requestHeaders: { headers: headerMap(all), endOfStream }, ...more });
  }

  requestBody(body: string | Buffer, endOfStream = true): this {
    return this.message({ requestBody: { body: Buffer.from(body), endOfStream } });
  }

  requestTrailers(): this {
    return this.message({ requestTrailers: { trailers: headerMap({ 'x-checksum': '1' }) } });
  }

  responseHeaders(headers: Headers = {}, endOfStream = false): this {
    return this.message({
      responseHeaders: { headers: headerMap({ ':status': '200', 'content-type': 'application/json', ...headers }), endOfStream },
    });
  }

  responseBody(body: string | Buffer, endOfStream = false): this {
    return this.message({ responseBody: { body: Buffer.from(body), endOfStream } });
  }

  responseTrailers(): this {
    return this.message({ responseTrailers: { trailers: headerMap({ 'x-checksum': '1' }) } });
  }

  halfClose(): this {
    this.call.onHalfClose();
    return this;
  }

  close(reset = true): this {
    this.call.onClose(reset);
    return this;
  }

  get replies(): readonly Reply[] {
    return this.stream.replies;
  }

  /** Takes the replies so far. */
  take(): Reply[] {
    return this.stream.replies.splice(0);
  }
}

export function chat(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], model: 'llama', ...fields });
}

/** protocol_config of a proxy that uses these modes. */
export function modes(requestBodyMode: string, responseBodyMode = requestBodyMode, early = false): object {
  return { protocolConfig: { requestBodyMode, responseBodyMode, sendBodyWithoutWaitingForHeaderResponse: early } };
}
