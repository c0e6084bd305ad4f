import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { createLog } from '../../../src/picker/telemetry/log';
import { Budgets, type ReserveResult, type TokenDemand } from '../../../src/picker/tokens/budgets';
import { MemoryStore } from '../../../src/picker/tokens/memory-store';
import { RedisStore } from '../../../src/picker/tokens/redis/redis-store';
import type { Script } from '../../../src/picker/tokens/redis/scripts';
import type { Reservation } from '../../../src/picker/tokens/reservation';
import { DEFAULT_REDIS, type PolicyLimit } from '../../../src/picker-config/picker-policy';
import { ManualClock } from '../../../src/shared/clock';
import { describeWith } from '../../components/describe-with';
import { eventually, freePort, type RunningProcess, startProcess } from '../../components/process';
import { fuzzRuns } from '../../property/corpus';
import { limit, outcome, subject } from '../../unit/picker/tokens/support';

const { windowSeconds: _, ...endless } = limit({ name: 'at-once', unit: 'concurrent', amount: 4 });
const LIMITS: readonly PolicyLimit[] = [
  limit({ name: 'short', amount: 700, windowSeconds: 5, weights: { input: 1, output: 2.5, cached: 0.3 } }),
  limit({ name: 'cut', amount: 900, windowSeconds: 20, clamp: true, weights: { input: 0.7, output: 1.3, cached: 0.1 } }),
  limit({ name: 'shadow', amount: 300, windowSeconds: 7, shadow: true }),
  limit({ name: 'rate', unit: 'requests', amount: 9, windowSeconds: 10 }),
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

  beforeAll(async () => {
    port = await freePort();
    server = await startProcess(program, {
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
      ready: { port },
    });
    admin = new Redis({ host: '127.0.0.1', port });
  });

  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  test('grant, cut, refuse and count the same in any course of events', async () => {
    const clock = new ManualClock(0);
    const world = (id: string) => {
      const budgets = new Budgets(clock, id);
      budgets.use({ limits: LIMITS, models: [] });
      return budgets;
    };
    const [mine, theirs] = [world('memory'), world('redis')];
    const memory = new MemoryStore(mine.memory, mine.metrics);
    const settings = { ...DEFAULT_REDIS, address: `127.0.0.1:${port}`, timeoutMs: 10_000 };
    const redis = new RedisStore(settings, { budgets: theirs, log: createLog('silent'), clock, pickerId: 'one' });
    const inside = redis as unknown as {
      client: { isReady: boolean; run(script: Script, keys: string[], args: string[]): Promise<unknown> };
    };
    await eventually('a connection', () => Promise.resolve(inside.client.isReady));
    let settled: Promise<unknown> = Promise.resolve();
    inside.client.run = (script, keys, args) => {
      const answer = admin.eval(timed(script), keys.length, ...keys, ...args);
      settled = answer;
      return answer;
    };
    const setClock = (): Promise<unknown> =>
      admin.mset('seconds', Math.floor(clock.nowMs() / 1e3), 'micros', Math.round((clock.nowMs() % 1e3) * 1e3));
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
        clock.advance(600_000 - (clock.nowMs() % 60_000));
        const clients = [`a${++run}`, `b${run}`];
        const open: { here: Reservation; there: Reservation; demand: TokenDemand }[] = [];
        for (const event of steps) {
          if (event.kind === 'wait') clock.advance(event.ms);
          await setClock();
          if (event.kind === 'reserve') {
            const demand = {
              model: 'm',
              textBytes: event.bytes,
              media: 0,
              maxTokens: event.maxTokens,
              choices: 1,
              generates: true,
              isBoundable: true,
            };
            const who = subject({ client: clients[event.who]! });
            const [here, there] = [mine.claim(who, demand), theirs.claim(who, demand)] as [Reservation, Reservation];
            if ('retryMs' in here) {
              expect(there).toMatchObject({ retryMs: -1 });
              continue;
            }
            let inMemory: ReserveResult | undefined;
            memory.reserve(here, (result) => {
              inMemory = result;
            });
            const inRedis = await new Promise<ReserveResult>((resolve) => redis.reserve(there, resolve));
            expect(facts(inRedis, there)).toEqual(facts(inMemory!, here));
            if (inMemory!.kind === 'granted') open.push({ here, there, demand });
          } else if (event.kind === 'settle' && open.length > 0) {
            const [{ here, there, demand }] = open.splice(event.which % open.length, 1) as [(typeof open)[0]];
            const end = outcome({ inputTokens: event.input, cachedTokens: event.cached, outputTokens: event.output });
            memory.settle(here, mine.settlement(here, demand, undefined, end));
            redis.settle(there, theirs.settlement(there, demand, undefined, end));
            await settled;
          }
        }
        for (const { here, there } of open) {
          const nothing = LIMITS.map(() => 0);
          memory.settle(here, nothing);
          redis.settle(there, nothing);
          await settled;
        }
        for (const [i, rule] of theirs.rules.entries()) {
          for (const { key, use } of mine.memory.standings(mine.rules[i]!)) {
            if (!clients.includes(key)) continue;
            const stored = await admin.hgetall(`aig:{limits}:${rule.identity}:${key}`);
            const length = Number.isFinite(rule.windowMs) ? rule.windowMs : 0;
            // the store rolls a window when it is asked next
            if (length > 0 && Number(stored['w']) < use.window) continue;
            expect([Number(stored['c'] ?? 0), Number(stored['p'] ?? 0)]).toEqual([use.current, use.previous]);
          }
        }
      }),
      { numRuns: fuzzRuns(100), endOnFailure: true },
    );
    await redis.close();
  }, 40_000);
});
