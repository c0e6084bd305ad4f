import { Agent, request } from 'node:http';
import { Latencies } from '../load/latencies';
import { chatBody } from '../load/messages';

export interface HttpLoadOptions {
  readonly port: number;
  readonly clients: number;
  readonly promptBytes: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export interface HttpLoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Chat completions over HTTP/1.1 in a closed loop. Prints `begin` and `end` around the measured part, for whoever reads CPU times. */
async function run(options: HttpLoadOptions): Promise<HttpLoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  const bodies = Array.from({ length: 32 }, (_, seed) =>
    Buffer.from(
      chatBody(options.promptBytes, seed)
        .toString()
        .replace('"max_tokens":128', '"max_tokens":  1')
        .replace('"stream":true', '"stream":null')
        .replace('"include_usage":true', '"include_usage":null'),
    ),
  );
  const latencies = new Latencies();
  let sent = 0;
  let errors = 0;
  let stopped = false;

  const ask = () =>
    new Promise<boolean>((resolve) => {
      const body = bodies[sent++ % bodies.length]!;
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const call = request(
        { port: options.port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', agent, headers },
        (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode === 200));
        },
      );
      call.once('error', () => resolve(false));
      call.end(body);
    });
  const client = async () => {
    while (!stopped) {
      const startedAt = performance.now();
      if (await ask()) latencies.add(performance.now() - startedAt);
      else errors++;
    }
  };
  const clients = Array.from({ length: options.clients }, client);
  await sleep(options.warmupSeconds);
  latencies.clear();
  errors = 0;
  process.stdout.write('begin\n');
  const startedAt = performance.now();
  await sleep(options.seconds);
  const wallMs = performance.now() - startedAt;
  const requests = latencies.count;
  process.stdout.write('end\n');
  stopped = true;
  await Promise.all(clients);
  agent.destroy();
  const [p50Ms, p99Ms] = latencies.percentiles([0.5, 0.99]) as [number, number];
  return { requests, errors, requestsPerSecond: (requests / wallMs) * 1000, p50Ms, p99Ms };
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

if (require.main === module) {
  void run(JSON.parse(process.argv[2]!) as HttpLoadOptions).then((result) => process.stdout.write(`${JSON.stringify(result)}\n`));
}
