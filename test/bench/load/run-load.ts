import { cpuMs } from '../support/process-usage';
import { type ClientStream, LoadConnection, prepared, type StreamOwner } from './connection';
import { Latencies } from './latencies';
import { chatBody, requestBody, requestHeaders, responseBody, responseHeaders, tokenEvent, usageEvent } from './messages';
import { IMMEDIATE, REQUEST_BODY, REQUEST_HEADERS, RESPONSE_BODY, RESPONSE_HEADERS } from './reply-reader';

export interface LoadOptions {
  readonly port: number;
  /** The server, for its CPU time. */
  readonly serverPid: number;
  readonly connections: number;
  /** Streams at once on each connection, when no rate is given. */
  readonly streams: number;
  readonly promptBytes: number;
  /** Distinct prompts, sent in turn. */
  readonly prompts: number;
  /** Each prompt begins with a number of its own, from this one on, so that no two are alike. For prompts of a few KB. @default as they are */
  readonly numberedFrom?: number;
  /** Requests per second, Poisson, whatever the server does (open loop). Undefined: the next when one is done (closed loop). */
  readonly ratePerSecond?: number;
  /** Chunks of the answer that follow the request, each sent when the one before has come back. @default 0 */
  readonly responseChunks?: number;
  /** End streams as Envoy does, with a reset. @default false */
  readonly reset?: boolean;
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly requestsPerSecond: number;
  /** From the scheduled start (open loop) or the start to the last byte of the request body's reply. */
  readonly pickMs: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly chunksPerSecond: number;
  readonly chunkMs: { readonly p50: number; readonly p99: number };
  /** CPU time of the server per request. */
  readonly serverCpuMicrosPerRequest: number;
  /** Of one core. */
  readonly serverCpuRatio: number;
  /** Of one core: near 1 the client is what was measured. */
  readonly clientCpuRatio: number;
}

/** Runs load against an ext_proc server and measures it after the warm-up. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const connections = Array.from({ length: options.connections }, () => new LoadConnection(options.port));
  await Promise.all(connections.map((connection) => connection.ready));
  const load = new Load(options, connections);
  load.start();
  await sleep(options.warmupSeconds);
  load.beginMeasuring();
  const serverBefore = cpuMs(options.serverPid);
  const clientBefore = process.cpuUsage();
  const startedAt = performance.now();
  await sleep(options.seconds);
  const wallMs = performance.now() - startedAt;
  const serverMs = cpuMs(options.serverPid) - serverBefore;
  const clientUsed = process.cpuUsage(clientBefore);
  load.stop();

  const [p50, p99, p999] = load.picks.percentiles([0.5, 0.99, 0.999]) as [number, number, number];
  const [chunk50, chunk99] = load.chunks.percentiles([0.5, 0.99]) as [number, number];
  return {
    requests: load.done,
    errors: load.errors,
    requestsPerSecond: (load.done / wallMs) * 1000,
    pickMs: { p50, p99, p999 },
    chunksPerSecond: (load.chunks.count / wallMs) * 1000,
    chunkMs: { p50: chunk50, p99: chunk99 },
    serverCpuMicrosPerRequest: (serverMs / load.done) * 1000,
    serverCpuRatio: serverMs / wallMs,
    clientCpuRatio: (clientUsed.user + clientUsed.system) / 1000 / wallMs,
  };
}

const NUMBER = '000000000000';
const BEFORE_TEXT = '"content":"';

interface Dialogue {
  stream: ClientStream;
  readonly connection: LoadConnection;
  startedAt: number;
  chunkSentAt: number;
  chunksSent: number;
  sawHeaders: boolean;
  echoedBytes: number;
  expectedBytes: number;
  answered: boolean;
}

class Load implements StreamOwner {
  readonly picks = new Latencies();
  readonly chunks = new Latencies();
  done = 0;
  errors = 0;
  private stopped = false;
  private sent = 0;
  private nextDueAt = 0;
  private readonly bodies: Buffer[];
  private readonly requests: Buffer[];
  private readonly answerHeaders = prepared(responseHeaders());
  private readonly chunk = tokenEvent();
  private readonly lastChunk = usageEvent();
  private readonly chunkFrames = prepared(responseBody(this.chunk, false));
  private readonly lastChunkFrames = prepared(responseBody(this.lastChunk, true));
  private readonly dialogues = new WeakMap<ClientStream, Dialogue>();
  private readonly idle: Dialogue[] = [];

  constructor(
    private readonly options: LoadOptions,
    private readonly connections: readonly LoadConnection[],
  ) {
    const start = options.numberedFrom === undefined ? '' : NUMBER;
    this.bodies = Array.from({ length: options.prompts }, (_, seed) => chatBody(options.promptBytes, seed, start));
    this.requests = this.bodies.map((body) => prepared(requestHeaders(body.length), requestBody(body)));
  }

  start(): void {
    if (this.options.ratePerSecond !== undefined) {
      this.nextDueAt = performance.now();
      this.arrive();
      return;
    }
    for (const connection of this.connections) {
      for (let i = 0; i < this.options.streams; i++) this.begin(connection, performance.now());
    }
  }

  beginMeasuring(): void {
    this.picks.clear();
    this.chunks.clear();
    this.done = 0;
    this.errors = 0;
  }

  stop(): void {
    this.stopped = true;
    for (const connection of this.connections) connection.destroy();
  }

  reply(stream: ClientStream, kind: number, echoedBytes: number): void {
    const dialogue = this.dialogues.get(stream)!;
    switch (kind) {
      case REQUEST_HEADERS:
        dialogue.sawHeaders = true;
        return;
      case REQUEST_BODY:
        dialogue.echoedBytes += echoedBytes;
        if (dialogue.echoedBytes >= dialogue.expectedBytes && dialogue.sawHeaders && !dialogue.answered) this.picked(dialogue);
        return;
      case RESPONSE_HEADERS:
        this.sendChunk(dialogue);
        return;
      case RESPONSE_BODY:
        dialogue.echoedBytes += echoedBytes;
        if (dialogue.echoedBytes >= dialogue.expectedBytes) this.chunkEchoed(dialogue);
        return;
      case IMMEDIATE:
        // The picker refused: no load run asks for that.
        this.errors++;
        this.finish(dialogue);
    }
  }

  ended(stream: ClientStream, failed: boolean): void {
    const dialogue = this.dialogues.get(stream)!;
    if (this.stopped) return;
    if (failed || !dialogue.answered) this.errors++;
    if (this.options.ratePerSecond !== undefined) this.idle.push(dialogue);
    else if (!dialogue.connection.closed) this.restart(dialogue, performance.now());
  }

  private begin(connection: LoadConnection, dueAt: number): void {
    const stream = connection.open(this);
    const dialogue: Dialogue = {
      stream,
      connection,
      startedAt: dueAt,
      chunkSentAt: 0,
      chunksSent: 0,
      sawHeaders: false,
      echoedBytes: 0,
      expectedBytes: 0,
      answered: false,
    };
    this.dialogues.set(stream, dialogue);
    this.sendRequest(dialogue);
  }

  private restart(dialogue: Dialogue, dueAt: number): void {
    dialogue.connection.reopen(dialogue.stream);
    dialogue.startedAt = dueAt;
    dialogue.chunksSent = 0;
    dialogue.sawHeaders = false;
    dialogue.answered = false;
    this.sendRequest(dialogue);
  }

  private sendRequest(dialogue: Dialogue): void {
    const index = this.sent++ % this.requests.length;
    const { numberedFrom } = this.options;
    if (numberedFrom !== undefined) writeNumber(this.requests[index]!, numberedFrom + this.sent);
    dialogue.echoedBytes = 0;
    dialogue.expectedBytes = this.bodies[index]!.length;
    dialogue.connection.send(dialogue.stream, this.requests[index]!);
  }

  private picked(dialogue: Dialogue): void {
    this.picks.add(performance.now() - dialogue.startedAt);
    dialogue.answered = true;
    if (this.options.responseChunks) dialogue.connection.send(dialogue.stream, this.answerHeaders);
    else this.complete(dialogue);
  }

  private sendChunk(dialogue: Dialogue): void {
    const last = dialogue.chunksSent === this.options.responseChunks;
    dialogue.echoedBytes = 0;
    dialogue.expectedBytes = last ? this.lastChunk.length : this.chunk.length;
    dialogue.chunkSentAt = performance.now();
    dialogue.chunksSent++;
    dialogue.connection.send(dialogue.stream, last ? this.lastChunkFrames : this.chunkFrames);
  }

  private chunkEchoed(dialogue: Dialogue): void {
    this.chunks.add(performance.now() - dialogue.chunkSentAt);
    if (dialogue.chunksSent <= this.options.responseChunks!) this.sendChunk(dialogue);
    else this.complete(dialogue);
  }

  private complete(dialogue: Dialogue): void {
    this.done++;
    this.finish(dialogue);
  }

  /** Half-closes and waits for the trailers, or resets as Envoy does. */
  private finish(dialogue: Dialogue): void {
    dialogue.answered = true;
    if (!this.options.reset) {
      dialogue.connection.endStream(dialogue.stream);
      return;
    }
    dialogue.connection.cancel(dialogue.stream);
    // Not from within the reply: the stream's reader is still at work.
    queueMicrotask(() => this.ended(dialogue.stream, false));
  }

  /** Starts what is due. Timers are a millisecond coarse, so the last stretch before an arrival is waited out in the event loop. */
  private arrive(): void {
    if (this.stopped) return;
    const now = performance.now();
    while (this.nextDueAt <= now) {
      const connection = this.connections[this.sent % this.connections.length]!;
      const used = this.idle.pop();
      if (used !== undefined && !used.connection.closed) this.restart(used, this.nextDueAt);
      else this.begin(connection, this.nextDueAt);
      this.nextDueAt += (-Math.log(1 - Math.random()) * 1000) / this.options.ratePerSecond!;
    }
    const waitMs = this.nextDueAt - performance.now();
    if (waitMs > 2.5) setTimeout(() => this.arrive(), waitMs - 1.5);
    else setImmediate(() => this.arrive());
  }
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** What was sent before is copied already, unless a window held it back. */
function writeNumber(frames: Buffer, number: number): void {
  frames.write(String(number).padStart(NUMBER.length, '0'), frames.indexOf(BEFORE_TEXT) + BEFORE_TEXT.length, 'latin1');
}
