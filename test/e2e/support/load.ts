import { Agent, request as httpRequest } from 'node:http';

export interface LoadRequest {
  /** @default '/v1/chat/completions' */
  readonly path?: string;
  readonly model: string;
  readonly stream: boolean;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client goes after this time, whatever it has got. @default - it stays */
  readonly leaveAfterMs?: number;
}

export interface LoadOptions {
  readonly perSecond: number;
  /** `address:port` of those that take requests now, asked for every request; the next of them gets it. */
  readonly targets: () => readonly string[];
  /** The request of a number. */
  readonly request: (index: number) => LoadRequest;
  /** Gets every whole answer. */
  readonly onAnswer?: (answer: Answered) => void;
}

/** A request that got its whole answer. */
export interface Answered {
  readonly model: string;
  readonly target: string;
  readonly pod: string | undefined;
  readonly sentMs: number;
  readonly endedMs: number;
}

/** A request that did not get its whole answer. */
export interface Failure {
  readonly model: string;
  /** Undefined when the connection broke before there was one. */
  readonly status: number | undefined;
  readonly target: string;
  /** The engine that answered, where that is known. */
  readonly pod: string | undefined;
  readonly why: string;
  readonly sentMs: number;
  readonly endedMs: number;
}

export interface LoadReport {
  readonly sent: number;
  readonly failures: readonly Failure[];
}

const TICK_MS = 10;
const LAST_ANSWER_MS = 60_000;

/**
 * Requests at a constant rate, whatever happens to the answers; each is wholly answered (status 200, a JSON body, or a stream up to its
 * `[DONE]`) or a failure. It retries nothing, as a gateway does not once a request was sent.
 */
export class Load {
  public readonly failures: Failure[] = [];
  public sent = 0;
  /** Clients that went before their answer was whole. */
  public left = 0;
  private open = 0;
  private readonly agents = new Map<string, Agent>();
  private readonly byPod = new Map<string, number>();
  private latenciesMs: number[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly beganMs = performance.now();

  private constructor(private readonly options: LoadOptions) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  public static start(options: LoadOptions): Load {
    return new Load(options);
  }

  /** Engines that have answered. */
  public pods(): readonly string[] {
    return [...this.byPod.keys()];
  }

  public answersOf(pod: string): number {
    return this.byPod.get(pod) ?? 0;
  }

  public get answered(): number {
    return this.sent - this.open - this.left - this.failures.length;
  }

  /** Milliseconds of the whole answers since the last call, in no order. */
  public takeLatencies(): number[] {
    const taken = this.latenciesMs;
    this.latenciesMs = [];
    return taken;
  }

  /** Sends no more, and waits for the answers that are still under way. */
  public async stop(limitMs = LAST_ANSWER_MS): Promise<LoadReport> {
    clearInterval(this.timer);
    const end = Date.now() + limitMs;
    while (this.open > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const agent of this.agents.values()) agent.destroy();
    if (this.open > 0) throw new Error(`${this.open} of ${this.sent} requests have no answer after ${limitMs} ms`);
    return { sent: this.sent, failures: this.failures };
  }

  private tick(): void {
    const due = ((performance.now() - this.beganMs) / 1000) * this.options.perSecond;
    while (this.sent < due) this.send(this.sent++);
  }

  private send(index: number): void {
    const targets = this.options.targets();
    const target = targets[index % targets.length];
    const {
      path = '/v1/chat/completions',
      model,
      stream,
      prompt,
      maxTokens,
      headers,
      leaveAfterMs,
    } = this.options.request(index);
    const sentMs = Date.now();
    let status: number | undefined;
    let pod: string | undefined;
    let isOver = false;
    this.open++;
    const end = (why?: string): void => {
      if (isOver) return;
      isOver = true;
      this.open--;
      if (why !== undefined) {
        this.failures.push({ model, status, target: target ?? 'nobody', pod, why, sentMs, endedMs: Date.now() });
        return;
      }
      const endedMs = Date.now();
      this.latenciesMs.push(endedMs - sentMs);
      this.options.onAnswer?.({ model, target: target!, pod, sentMs, endedMs });
      this.byPod.set(pod ?? '', this.answersOf(pod ?? '') + 1);
    };
    if (target === undefined) {
      end('nobody takes requests');
      return;
    }
    const body = JSON.stringify({ model, max_tokens: maxTokens, stream, messages: [{ role: 'user', content: prompt }] });
    const [host, port] = target.split(':');
    const outgoing = httpRequest({
      host,
      port,
      path,
      method: 'POST',
      agent: this.agentOf(target),
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    });
    if (leaveAfterMs !== undefined) {
      setTimeout(() => {
        if (isOver) return;
        isOver = true;
        this.open--;
        this.left++;
        outgoing.destroy();
      }, leaveAfterMs);
    }
    outgoing.on('error', (error) => end(error.message));
    outgoing.on('response', (incoming) => {
      status = incoming.statusCode;
      pod = incoming.headers['x-inference-pod'] as string | undefined;
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text = stream ? (text + chunk).slice(-64) : text + chunk;
      });
      incoming.on('error', (error) => end(error.message));
      incoming.on('close', () => end('the connection broke'));
      incoming.on('end', () => {
        if (status !== 200) end(text.slice(0, 300));
        else if (stream && !text.trimEnd().endsWith('data: [DONE]')) end('a stream without its end');
        else end();
      });
    });
    outgoing.end(body);
  }

  private agentOf(target: string): Agent {
    let agent = this.agents.get(target);
    if (agent === undefined) {
      // shorter than any keep-alive of the other side, so that no request meets a connection that is being closed
      agent = new Agent({ keepAlive: true, timeout: 60_000 });
      this.agents.set(target, agent);
    }
    return agent;
  }
}
