/**
 * `npm run bench -- --store`: what budgets in Redis cost, five matching limits, beside as many plain INCR, sent in the same way over one
 * connection. Numbers of one machine, on which Redis runs too: read the ratios.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { freePorts } from '../../src/cli/up/run/free-ports';
import { createLog } from '../../src/picker/telemetry/log';
import { Budgets } from '../../src/picker/tokens/budgets';
import { RedisStore } from '../../src/picker/tokens/redis/redis-store';
import type { Reservation } from '../../src/picker/tokens/reservation';
import { DEFAULT_REDIS, type PolicyLimitKey } from '../../src/picker-config/picker-policy';
import { monotonicClock } from '../../src/shared/clock';

const REQUESTS = 30_000;
const AT_ONCE = 128;
const SOURCES: readonly PolicyLimitKey['source'][] = ['client', 'model', 'pool', 'all', 'tenant'];

const demand = { model: 'm', textBytes: 400, media: 0, maxTokens: 100, choices: 1, generates: true, isBoundable: true };
const outcome = {
  status: 200,
  inputTokens: 90,
  outputTokens: 60,
  cachedTokens: 0,
  requestBytes: 400,
  responseBytes: 900,
  firstByteMs: 5,
  cause: 'natural',
} as const;

async function perSecond(run: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (next < REQUESTS) await run(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return Math.round((REQUESTS / (performance.now() - started)) * 1e3);
}

/** Times that the server read from a connection: round trips, where nobody else asks. */
async function reads(admin: Redis): Promise<number> {
  return Number(/total_reads_processed:(\d+)/.exec(await admin.info('stats'))![1]);
}

/** Processor time of the server; unlike a rate it says the same on a busy machine. */
async function redisMicros(admin: Redis): Promise<number> {
  const info = await admin.info('cpu');
  return [...info.matchAll(/used_cpu_(?:user|sys):([\d.]+)/g)].reduce((sum, [, seconds]) => sum + Number(seconds) * 1e6, 0);
}

async function main(): Promise<void> {
  const [port] = (await freePorts(1)) as [number];
  const server = spawn(process.env['REDIS_SERVER'] ?? 'redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
  ]);
  server.stdout.resume();
  const admin = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50 });
  admin.on('error', () => undefined);
  await admin.ping();

  const rows: object[] = [];
  const plain = new Redis({ host: '127.0.0.1', port, enableAutoPipelining: true });
  await plain.ping();
  const plainCpu = await redisMicros(admin);
  const plainRate = await perSecond(async (index) => void (await plain.incr(`c${index % 500}`)));
  const plainMicros = ((await redisMicros(admin)) - plainCpu) / REQUESTS;
  plain.disconnect();
  rows.push({ case: 'INCR', 'requests/s': plainRate, 'of INCR': '1.00', 'µs of Redis': plainMicros.toFixed(1) });
  for (const limits of [1, 5]) {
    const budgets = new Budgets(monotonicClock, `bench-${limits}`);
    budgets.use({
      limits: SOURCES.slice(0, limits).map((source) => ({
        name: `by-${source}`,
        unit: 'tokens' as const,
        amount: 1_000_000_000_000,
        windowSeconds: 60,
        key: { source },
        weights: { input: 1, output: 1, cached: 1 },
        clamp: false,
        shadow: false,
        onStoreFailure: 'closed' as const,
      })),
      models: [],
    });
    const settings = { ...DEFAULT_REDIS, address: `127.0.0.1:${port}`, timeoutMs: 5_000 };
    const store = new RedisStore(settings, { budgets, log: createLog('silent'), clock: monotonicClock, pickerId: 'bench' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const cpuBefore = await redisMicros(admin);
    const ownBefore = process.cpuUsage();
    const readsBefore = await reads(admin);
    const rate = await perSecond(
      (index) =>
        new Promise((resolve, reject) => {
          const who = { client: `c${index % 500}`, tenant: `t${index % 50}`, apiKey: undefined, model: 'm', pool: 'p' };
          const subject = { ...who, claim: () => undefined, header: () => undefined };
          const claim = budgets.claim(subject, demand) as Reservation;
          store.reserve(claim, ({ kind }) => {
            if (kind !== 'granted') reject(new Error(kind));
            store.settle(claim, budgets.settlement(claim, demand, undefined, outcome));
            resolve();
          });
        }),
    );
    await store.close();
    // the question itself is one
    const trips = (await reads(admin)) - readsBefore - 1;
    const own = process.cpuUsage(ownBefore);
    rows.push({
      case: `${limits} limit${limits > 1 ? 's' : ''}`,
      'requests/s': rate,
      'of INCR': (rate / plainRate).toFixed(2),
      'round trips a request': (trips / REQUESTS).toFixed(3),
      'µs of Redis': (((await redisMicros(admin)) - cpuBefore) / REQUESTS).toFixed(1),
      'µs of the picker': ((own.user + own.system) / REQUESTS).toFixed(1),
    });
  }
  console.table(rows);
  admin.disconnect();
  server.kill();
  await once(server, 'exit');
}

void main();
