import { spawn, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drainHook } from '../../../src/constructs/vllm/drain';

// The hook runs in the engine's container with its python3; here it runs with the machine's against a server that talks like vLLM.
type Metrics = () => string | 'hang';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const needsPython = hasPython || process.env['CI'] === 'true' ? test : test.skip;
if (!hasPython) process.stderr.write('SKIPPED the drain of an engine: python3 is not there\n');

let server: Server | undefined;

async function listen(metrics: Metrics): Promise<number> {
  server = createServer((_request, response) => {
    const text = metrics();
    if (text !== 'hang') response.end(text);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

function metrics(running: number, waiting: number): string {
  return [
    '# HELP vllm:num_requests_running Number of requests in model execution batches.',
    '# TYPE vllm:num_requests_running gauge',
    `vllm:num_requests_running{engine="0",model_name="chat"} ${running.toFixed(1)}`,
    `vllm:num_requests_waiting{engine="0",model_name="chat"} ${waiting.toFixed(1)}`,
    `vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} ${(waiting + 7).toFixed(1)}`,
    'vllm:kv_cache_usage_perc{engine="0",model_name="chat"} 0.5',
  ].join('\n');
}

/** Runs the hook; the milliseconds until it ended. */
async function drain(ports: readonly number[], longestAnswerSeconds: number, delaySeconds = 0, tls = false): Promise<number> {
  const hook = drainHook({ ports, tls, delaySeconds, longestAnswerSeconds, pollSeconds: 0.02 }) as {
    preStop: { exec: { command: [string, ...string[]] } };
  };
  const [program, ...args] = hook.preStop.exec.command;
  const start = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(errors).toBe('');
  expect(code).toBe(0);
  return performance.now() - start;
}

needsPython('an idle engine may stop after two looks', async () => {
  let looks = 0;
  const port = await listen(() => {
    looks += 1;
    return metrics(0, 0);
  });
  await drain([port], 60);
  expect(looks).toBe(2);
});

needsPython('a busy engine is waited for, running and waiting requests alike', async () => {
  const script = [metrics(1, 0), metrics(0, 2), metrics(0, 0), metrics(0, 0)];
  let looks = 0;
  const port = await listen(() => script[looks++] ?? metrics(0, 0));
  await drain([port], 60);
  expect(looks).toBe(4);
});

needsPython('all ranks must be idle', async () => {
  let looks = 0;
  const port = await listen(() => {
    looks += 1;
    return looks < 4 ? metrics(1, 0) : metrics(0, 0);
  });
  // the second port refuses: that rank is gone
  await drain([port, 9], 60);
  expect(looks).toBe(5);
});

needsPython('the wait ends with the longest answer', async () => {
  const port = await listen(() => metrics(1, 0));
  const tookMs = await drain([port], 1);
  expect(tookMs).toBeGreaterThan(1000);
  expect(tookMs).toBeLessThan(10_000);
});

needsPython('an engine that is gone is not waited for', async () => {
  expect(await drain([9], 60)).toBeLessThan(10_000);
});

needsPython('an engine that speaks TLS is asked over TLS', async () => {
  const port = await listen(() => metrics(0, 0));
  // a server that does not understand the handshake counts as busy, so the hook waits to its end
  expect(await drain([port], 1, 0, true)).toBeGreaterThan(1000);
});

needsPython('routers get their time first', async () => {
  expect(await drain([9], 0, 0.5)).toBeGreaterThan(500);
});
