import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { SMALL_SCENARIOS } from '../../../src/simulation/routing/scenarios';
import type { TrafficRequest } from '../../../src/simulation/routing/traffic';
import { Latencies } from '../load/latencies';
import { answerOf, type Message, requestBody, textOf } from './chat';

export interface LoadOptions {
  readonly port: number;
  /** Name of one of `SMALL_SCENARIOS`. */
  readonly traffic: string;
  readonly seed: number;
  /** Requests arrive for so long, those of the warm-up included. */
  readonly seconds: number;
  /** Requests that arrive earlier are not measured. */
  readonly warmUpSeconds: number;
  /** What is not finished so long after the last arrival has not been served. */
  readonly patienceSeconds: number;
}

export interface LoadResult {
  readonly offered: number;
  readonly served: number;
  /** From the instant at which the request was to be sent. */
  readonly ttftMeanMs: number;
  readonly ttftP50Ms: number;
  readonly ttftP99Ms: number;
  readonly totalMeanMs: number;
  /** Those that were not served, by what they got: a status, `cut`, `late`, or an error's code. */
  readonly errors: Readonly<Record<string, number>>;
  /** How much later than planned a request left, at the worst: with much of it the client was the limit. */
  readonly worstLagMs: number;
}

/** Open-loop traffic of streamed chat completions. Prints `warm` when the warm-up is over, `half` at half time, `end` when no request comes any more. */
class Load {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly firstBytes = new Latencies();
  private readonly totals = new Latencies();
  private readonly errors: Record<string, number> = {};
  private readonly startedAt = performance.now();
  private readonly open = new Set<{ destroy(): void }>();
  private offered = 0;
  private worstLagMs = 0;
  /** Follow-up requests that are still to come count as well. */
  private pending = 0;
  private idle: () => void = () => undefined;

  public constructor(private readonly options: LoadOptions) {}

  public async run(): Promise<LoadResult> {
    const { traffic: name, seed, seconds, warmUpSeconds, patienceSeconds } = this.options;
    const { traffic } = SMALL_SCENARIOS.find((scenario) => scenario.name === name)!;
    for (const { atMs, request } of traffic.arrivals(seed, seconds * 1e3)) this.plan(atMs, request, []);
    setTimeout(() => process.stdout.write('warm\n'), warmUpSeconds * 1e3);
    setTimeout(() => process.stdout.write('half\n'), seconds * 500);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1e3));
    process.stdout.write('end\n');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceSeconds * 1e3);
      this.idle = () => {
        if (this.pending > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.idle();
    });
    return this.result();
  }

  private result(): LoadResult {
    const { offered, errors, firstBytes, totals, worstLagMs } = this;
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
    if (offered > totals.count + failed) errors['late'] = offered - totals.count - failed;
    for (const call of this.open) call.destroy();
    const [ttftP50Ms, ttftP99Ms] = firstBytes.percentiles([0.5, 0.99]) as [number, number];
    return {
      offered,
      served: totals.count,
      ttftMeanMs: firstBytes.mean(),
      ttftP50Ms,
      ttftP99Ms,
      totalMeanMs: totals.mean(),
      errors,
      worstLagMs,
    };
  }

  private nowMs(): number {
    return performance.now() - this.startedAt;
  }

  private plan(atMs: number, request: TrafficRequest, history: readonly Message[], known = 0): void {
    this.pending++;
    setTimeout(() => this.send(atMs, request, history, known), atMs - this.nowMs());
  }

  private settled(): void {
    this.pending--;
    this.idle();
  }

  /** @param known how many of the prompt's tokens the history's messages stand for */
  private send(atMs: number, traffic: TrafficRequest, history: readonly Message[], known: number): void {
    const { warmUpSeconds, seconds } = this.options;
    if (atMs >= seconds * 1e3) {
      this.settled();
      return;
    }
    const isMeasured = atMs >= warmUpSeconds * 1e3;
    if (isMeasured) this.offered++;
    this.worstLagMs = Math.max(this.worstLagMs, this.nowMs() - atMs);
    const messages: Message[] = [...history, { role: 'user', content: textOf(traffic.promptTokens.subarray(known)) }];
    const body = requestBody(messages, traffic.adapter);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const path = '/v1/chat/completions';
    const call = httpRequest({ host: '127.0.0.1', port: this.options.port, method: 'POST', path, agent: this.agent, headers });
    this.open.add(call);
    let isSettled = false;
    const settle = (error?: string): void => {
      if (isSettled) return;
      isSettled = true;
      this.open.delete(call);
      if (error !== undefined && isMeasured) this.errors[error] = (this.errors[error] ?? 0) + 1;
      this.settled();
    };
    call.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    call.once('response', (response: IncomingMessage) => {
      let stream = '';
      let firstByteMs = -1;
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (firstByteMs < 0) firstByteMs = this.nowMs() - atMs;
        stream += chunk;
      });
      // an answer that is cut ends with an error, and has an end nevertheless
      response.once('error', () => settle('cut'));
      response.once('close', () => {
        if (response.statusCode !== 200) return settle(String(response.statusCode));
        const answer = answerOf(stream);
        if (answer === undefined) return settle('cut');
        if (isMeasured) {
          this.firstBytes.add(firstByteMs);
          this.totals.add(this.nowMs() - atMs);
        }
        this.goOn(traffic, [...messages, { role: 'assistant', content: answer }]);
        settle();
      });
    });
    call.end(body);
  }

  private goOn({ promptTokens, outputTokens, next }: TrafficRequest, messages: readonly Message[]): void {
    if (next === undefined) return;
    // what the answer says is in the messages; the traffic only wants to know how long all of it is
    const history = new Int32Array(promptTokens.length + outputTokens);
    this.plan(this.nowMs() + next.afterMs, next.request(history), messages, history.length);
  }
}

if (require.main === module) {
  void new Load(JSON.parse(process.argv[2]!) as LoadOptions).run().then((result) => {
    process.stdout.write(`result ${JSON.stringify(result)}\n`, () => process.exit(0));
  });
}
