import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { createLog } from '../../../src/picker/telemetry/log';
import { Budgets, type ReserveResult, type TokenDemand } from '../../../src/picker/tokens/budgets';
import { MemoryStore } from '../../../src/picker/tokens/memory-store';
import { RedisStore } from '../../../src/picker/tokens/redis/redis-store';
import type { Script } from '../../../src/picker/tokens/redis/scripts';
import type { Reservation } from '../../../src/picker/tokens/reservation';
import { DEFAULT_REDIS, type PolicyLimit } from '../../../src/picker-config/picker-policy';
import type { Clock } from '../../../src/shared/clock';
import { describeWith } from '../../components/describe-with';
import { eventually, freePort, type RunningProcess, startProcess } from '../../components/process';
import { fuzzRuns } from '../../property/corpus';
import { demand, limit, outcome, subject } from '../../unit/picker/tokens/support';

const { windowSeconds: _, ...endless } = limit({ name: 'at-once', unit: 'concurrent', amount: 4 });
const LIMITS: readonly PolicyLimit[] = [
  limit({ name: 'short', amount: 700, windowSeconds: 5, weights: { input: 1, output: 2.5, cached: 0.3 } }),
  limit({ name: 'cut', amount: 900, windowSeconds: 20, clamp: true, weights: { input: 0.7, output: 1.3, cached: 0.1 } }),
  limit({ name: 'shadow', amount: 300, windowSeconds: 7, shadow: true }),
  limit({ name: 'rate', unit: 'requests', amount: 9, windowSeconds: 10 }),
  { ...endless, name: 'daily', unit: 'tokens', amount: 1_500, calendarWindow: { period: 'day', timeZone: 'Europe/Berlin' } },
  endless,
];

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      who: fc.nat(1),
      bytes: fc.nat(900),
      maxTokens: fc.integer({ min: -1, max: 500 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(),
      input: fc.nat(300),
      cached: fc.nat(300),
      output: fc.nat(600),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(9_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('days' as const), ms: fc.nat(40 * 3_600_000) }),
  },
);

/** The clock of the test instead of the store's own; everything else of the scripts is theirs. */
const timed = ({ lua }: Script): string => {
  const text = lua.replace("redis.call('TIME')", "{ redis.call('GET', 'seconds'), redis.call('GET', 'micros') }");
  if (text === lua) throw new Error('the script does not ask for the time');
  return text;
};

describeWith(['redis-server'], 'the windows in Lua and those in memory', ({ 'redis-server': program }) => {
  let server: RunningProcess;
  let admin: Redis;
  let port: number;
  const stores: RedisStore[] = [];

  beforeAll(async () => {
    port = await freePort();
    server = await startProcess(program, {
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
      ready: { port },
    });
    admin = new Redis({ host: '127.0.0.1', port });
  });

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    admin?.disconnect();
    await server?.stop();
  });

  /** A store by whose clock it is `clock`. */
  const storeAt = async (budgets: Budgets, clock: Clock) => {
    const settings = { ...DEFAULT_REDIS, address: `127.0.0.1:${port}`, timeoutMs: 10_000 };
    const store = new RedisStore(settings, { budgets, log: createLog('silent'), clock, pickerId: 'one' });
    stores.push(store);
    const inside = store as unknown as {
      storeAheadMs: number;
      queue: { flush(): void };
      client: { isReady: boolean; run(script: Script, keys: string[], args: string[]): Promise<unknown> };
    };
    await eventually('a connection', () => Promise.resolve(inside.client.isReady));
    inside.storeAheadMs = 0;
    let last: Promise<unknown> = Promise.resolve();
    inside.client.run = async (script, keys, args) => {
      const nowMs = clock.nowMs();
      last = admin
        .mset('seconds', Math.floor(nowMs / 1e3), 'micros', Math.round((nowMs % 1e3) * 1e3))
        .then(() => admin.eval(timed(script), keys.length, ...keys, ...args));
      return last;
    };
    const reserve = (reservation: Reservation): Promise<ReserveResult> =>
      new Promise((resolve) => store.reserve(reservation, resolve));
    const settle = async (reservation: Reservation, actual: readonly number[]): Promise<void> => {
      store.settle(reservation, actual);
      inside.queue.flush();
      await last;
    };
    return { reserve, settle };
  };

  test('a clock of the store that is set back holds nobody up for as long, and loses nothing of what is set aside', async () => {
    let nowMs = Date.parse('2026-11-24T12:00:30Z');
    const clock = { nowMs: () => nowMs };
    const budgets = new Budgets(clock, 'back');
    budgets.use({ limits: [limit()], models: [] });
    const store = await storeAt(budgets, clock);
    const claim = (maxTokens: number): Reservation => budgets.claim(subject(), demand({ maxTokens })) as Reservation;
    const [first, open] = [claim(500), claim(300)];
    await store.reserve(first);
    await store.settle(first, [500]);
    await store.reserve(open);
    nowMs -= 3_600_000;
    const denied = await store.reserve(claim(400));
    expect(denied).toMatchObject({ kind: 'denied', denial: { remaining: 200 } });
    // this window ends in 30 s, and in the next one a quarter must fade
    expect(denied.kind === 'denied' && denied.denial.retryMs).toBe(30_000 + 60_000 / 4);
    await store.settle(open, [0]);
    expect((await store.reserve(claim(400))).kind).toBe('granted');
  });

  test('grant, cut, refuse and count the same in any course of events', async () => {
    // a day on which Berlin's clocks go back
    let nowMs = Date.parse('2026-10-25T12:00:00Z');
    const clock = { nowMs: () => nowMs };
    const world = (id: string) => {
      const budgets = new Budgets(clock, id);
      budgets.use({ limits: LIMITS, models: [] });
      return budgets;
    };
    const [mine, theirs] = [world('memory'), world('redis')];
    const memory = new MemoryStore(mine.memory, mine.metrics);
    const redis = await storeAt(theirs, clock);
    const facts = (result: ReserveResult, { charges, outputBound, tightest }: Reservation): unknown => ({
      kind: result.kind,
      denial: result.kind === 'denied' ? { ...result.denial, rule: result.denial.rule.name } : undefined,
      charges,
      outputBound,
      tightest:
        result.kind === 'granted'
          ? [tightest.tokens, tightest.requests].map((one) => one && { ...one, rule: one.rule.name })
          : undefined,
    });
    let run = 0;

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await admin.flushall();
        nowMs += 600_000 - (nowMs % 60_000);
        const clients = [`a${++run}`, `b${run}`];
        const open: { here: Reservation; there: Reservation; size: TokenDemand }[] = [];
        const settleAll = async (): Promise<void> => {
          for (const { here, there } of open.splice(0)) {
            const nothing = LIMITS.map(() => 0);
            memory.settle(here, nothing);
            await redis.settle(there, nothing);
          }
        };
        for (const event of steps) {
          if (event.kind === 'wait') nowMs += event.ms;
          if (event.kind === 'days') {
            // in the store nothing stays set aside for so long
            await settleAll();
            nowMs += event.ms;
          }
          if (event.kind === 'reserve') {
            const size = demand({ textBytes: event.bytes, maxTokens: event.maxTokens });
            const who = subject({ client: clients[event.who]! });
            const [here, there] = [mine.claim(who, size), theirs.claim(who, size)] as [Reservation, Reservation];
            if ('retryMs' in here) {
              expect(there).toMatchObject({ retryMs: -1 });
              continue;
            }
            let inMemory: ReserveResult | undefined;
            memory.reserve(here, (result) => {
              inMemory = result;
            });
            const inRedis = await redis.reserve(there);
            expect(facts(inRedis, there)).toEqual(facts(inMemory!, here));
            if (inMemory!.kind === 'granted') open.push({ here, there, size });
          } else if (event.kind === 'settle' && open.length > 0) {
            const [{ here, there, size }] = open.splice(event.which % open.length, 1) as [(typeof open)[0]];
            const end = outcome({ inputTokens: event.input, cachedTokens: event.cached, outputTokens: event.output });
            memory.settle(here, mine.settlement(here, size, undefined, end));
            await redis.settle(there, theirs.settlement(there, size, undefined, end));
          }
        }
        await settleAll();
        for (const [i, rule] of theirs.rules.entries()) {
          for (const { key, use } of mine.memory.standings(mine.rules[i]!)) {
            if (!clients.includes(key)) continue;
            const stored = await admin.hgetall(`aig:{limits}:${rule.identity}:${key}`);
            // the store rolls a window when it is asked next
            if (rule.unit !== 'concurrent' && Number(stored['w']) < use.window) continue;
            expect([Number(stored['c'] ?? 0), Number(stored['p'] ?? 0)]).toEqual([use.current, use.previous]);
          }
        }
      }),
      { numRuns: fuzzRuns(100), endOnFailure: true },
    );
  }, 40_000);
});
