import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { Phase } from '../../../picker/ext-proc/processing-request';
import { Reply } from '../../../picker/ext-proc/processing-response';
import { changed, flat, headerList, headerValue, withoutControlHeaders } from './header-lists';
import { bodyMessage, type HeaderList, headersMessage, type PickerReply } from './messages';
import type { Dialogue } from './picker-connection';
import type { ProxyTarget } from './routing';

export interface ExchangeHost {
  /** Endpoints of a pool that a picker named; undefined for an unknown pool. */
  readonly poolEndpoints: (pool: string) => readonly string[] | undefined;
  /** Engines that are tried after the first one could not be reached. */
  readonly retries: number;
  /** A request or answer that makes no progress for so long is ended. */
  readonly idleMs: number;
}

const DESTINATION = 'x-gateway-destination-endpoint';
const POOL = 'x-aig-pool';
const NO_BODY = Buffer.alloc(0);

/**
 * One request on its way, in the order of Envoy's ext_proc filter in full duplex: headers and body to the picker, what comes back to the
 * engine that it chose; the engine's answer to the picker, what comes back to the client.
 */
export class Exchange {
  private readonly dialogue: Dialogue;
  private readonly hasBody: boolean;
  private headers: HeaderList;
  private readonly body: Buffer[] = [];
  /** Engines still to try, best first. */
  private left: string[] = [];
  private upstream: ClientRequest | undefined;
  private answer: IncomingMessage | undefined;
  private answerHeaders: HeaderList = [];
  private isOver = false;
  private pickerIsDone = false;

  public constructor(
    client: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly target: ProxyTarget,
    headers: HeaderList,
    private readonly host: ExchangeHost,
  ) {
    this.headers = headers;
    this.dialogue = target.picker.open({
      onReply: (reply) => this.onReply(reply),
      onEnd: (ok) => this.onPickerEnd(ok),
    });
    this.hasBody = client.headers['transfer-encoding'] !== undefined || Number(client.headers['content-length'] ?? 0) > 0;
    this.dialogue.send(headersMessage(Phase.RequestHeaders, headers, !this.hasBody));
    if (this.hasBody) this.forward(client, Phase.RequestBody);
    else client.resume();
    response.setTimeout(host.idleMs, () => this.fail(504, 'nothing was heard of the request for too long'));
    response.on('close', () => this.abandon());
  }

  /** Sends a body to the picker as it comes, no faster than the picker takes it. */
  private forward(source: IncomingMessage, phase: Phase.RequestBody | Phase.ResponseBody): void {
    source.on('data', (chunk: Buffer) => {
      if (this.dialogue.send(bodyMessage(phase, chunk, false))) return;
      source.pause();
      this.dialogue.onDrain(() => source.resume());
    });
    source.on('end', () => this.dialogue.send(bodyMessage(phase, NO_BODY, true)));
  }

  private onReply(reply: PickerReply): void {
    if (this.isOver) return;
    switch (reply.kind) {
      case Reply.RequestHeaders:
        this.headers = changed(this.headers, reply);
        if (headerValue(this.headers, DESTINATION) === undefined) this.fail(503, 'the picker chose no engine');
        // With a body the engine is dialled once all of it is here, so that another one can be tried.
        else if (!this.hasBody) this.dialFirst();
        return;
      case Reply.RequestBody:
        this.body.push(reply.body);
        if (reply.endOfStream) this.dialFirst();
        return;
      case Reply.ResponseHeaders:
        this.answerHeaders = changed(this.answerHeaders, reply);
        this.writeHead();
        return;
      case Reply.ResponseBody:
        this.writeBody(reply.body);
        if (reply.endOfStream) this.finish();
        return;
      case Reply.Immediate:
        this.immediate(reply);
        return;
      default:
    }
  }

  private dialFirst(): void {
    const pool = headerValue(this.headers, POOL);
    const endpoints = this.target.endpoints ?? (pool === undefined ? undefined : this.host.poolEndpoints(pool));
    if (endpoints === undefined) {
      this.fail(503, 'the picker named no pool that this proxy knows');
      return;
    }
    const picked = (headerValue(this.headers, DESTINATION) ?? '').split(',').map((text) => text.trim());
    // An engine outside of the pool is never dialled, whoever names it.
    const known = picked.filter((endpoint) => endpoints.includes(endpoint));
    const others = endpoints.filter((endpoint) => !known.includes(endpoint));
    this.left = [...known, ...others].slice(0, 1 + this.host.retries);
    this.dial();
  }

  private dial(): void {
    const endpoint = this.left.shift();
    if (endpoint === undefined) {
      this.fail(503, 'no engine of the pool can be reached');
      return;
    }
    const at = endpoint.lastIndexOf(':');
    const body = Buffer.concat(this.body);
    const headers = withoutControlHeaders(this.headers).filter(([name]) => name !== 'content-length');
    const length: HeaderList = this.hasBody ? [['content-length', String(body.length)]] : [];
    const authority: HeaderList = [['host', headerValue(this.headers, ':authority') ?? endpoint]];
    const upstream = request({
      host: endpoint.slice(0, at),
      port: endpoint.slice(at + 1),
      method: headerValue(this.headers, ':method'),
      path: headerValue(this.headers, ':path'),
      headers: flat([...authority, ...headers, ...length]) as unknown as Record<string, string>,
      setHost: false,
    });
    this.upstream = upstream;
    upstream.on('response', (answer) => this.onAnswer(answer));
    upstream.on('error', () => {
      if (this.isOver || this.upstream !== upstream) return;
      // Only an engine that has not begun to answer may be replaced: a second answer must never follow a first one.
      if (this.answer === undefined) this.dial();
      else this.cut();
    });
    upstream.end(body);
  }

  private onAnswer(answer: IncomingMessage): void {
    this.answer = answer;
    this.answerHeaders = [[':status', String(answer.statusCode)], ...headerList(answer.rawHeaders)];
    answer.on('error', () => this.cut());
    answer.on('aborted', () => this.cut());
    if (this.pickerIsDone) {
      this.writeHead();
      answer.pipe(this.response);
      answer.on('end', () => (this.isOver = true));
      return;
    }
    this.dialogue.send(headersMessage(Phase.ResponseHeaders, this.answerHeaders, false));
    this.forward(answer, Phase.ResponseBody);
  }

  private writeHead(): void {
    const status = Number(headerValue(this.answerHeaders, ':status'));
    this.response.writeHead(status, flat(this.answerHeaders));
    this.response.flushHeaders();
  }

  private writeBody(piece: Buffer): void {
    if (piece.length === 0 || this.response.write(piece)) return;
    this.dialogue.pause();
    this.response.once('drain', () => this.dialogue.resume());
  }

  private immediate({ status, set, body }: PickerReply): void {
    if (this.response.headersSent) {
      this.cut();
      return;
    }
    this.isOver = true;
    this.upstream?.destroy();
    this.response.writeHead(status, flat([...set, ['content-length', String(body.length)]]));
    this.response.end(body);
    this.dialogue.finish();
  }

  private finish(): void {
    this.isOver = true;
    this.response.end();
    this.dialogue.finish();
  }

  /** An OK before the answer means that the picker does not want to see it. */
  private onPickerEnd(ok: boolean): void {
    if (this.isOver) return;
    this.pickerIsDone = true;
    if (!ok || this.upstream === undefined || this.answer !== undefined) this.fail(503, 'the picker does not answer');
  }

  /** The client is gone, or has everything. */
  private abandon(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.upstream?.destroy();
    this.dialogue.cancel();
  }

  /** An answer that has begun cannot become an error any more: the client sees that it is not whole. */
  private cut(): void {
    if (this.isOver) return;
    this.abandon();
    this.response.destroy();
  }

  private fail(status: number, message: string): void {
    if (this.isOver) return;
    if (this.response.headersSent) {
      this.cut();
      return;
    }
    this.abandon();
    const body = JSON.stringify({ error: { message, type: 'proxy_error', code: status } });
    this.response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  }
}
