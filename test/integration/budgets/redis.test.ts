import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { Outcome } from '../../../src/picker/ext-proc/director';
import { createLog } from '../../../src/picker/telemetry/log';
import { Budgets, type ReserveResult, type TokenDemand } from '../../../src/picker/tokens/budgets';
import { limitsPage } from '../../../src/picker/tokens/limits-page';
import { RedisStore } from '../../../src/picker/tokens/redis/redis-store';
import type { Reservation } from '../../../src/picker/tokens/reservation';
import { DEFAULT_REDIS, type PolicyLimit, type RedisStore as RedisSettings } from '../../../src/picker-config/picker-policy';
import { monotonicClock } from '../../../src/shared/clock';
import { describeWith } from '../../components/describe-with';
import { eventually, freePort, type RunningProcess, startProcess } from '../../components/process';
import { certificate } from '../../unit/picker/http2/certificate';
import { Forwarder } from './forwarder';

const LOG = createLog('silent');
const DEMAND: TokenDemand = {
  model: 'm',
  textBytes: 0,
  media: 0,
  maxTokens: 100,
  choices: 1,
  isBoundable: true,
  generates: true,
};
const outcome = (outputTokens: number): Outcome => ({
  status: 200,
  inputTokens: 0,
  outputTokens,
  cachedTokens: 0,
  requestBytes: 0,
  responseBytes: 0,
  firstByteMs: 1,
  cause: 'natural',
});
const limit = (changes: Partial<PolicyLimit> = {}): PolicyLimit => ({
  name: 'shared',
  unit: 'tokens',
  amount: 1_000,
  windowSeconds: 3_600,
  key: { source: 'client' },
  weights: { input: 1, output: 1, cached: 1 },
  clamp: false,
  shadow: false,
  onStoreFailure: 'closed',
  ...changes,
});

/** One picker's half: what admission does with a store, without the proxy. */
class Picker {
  public readonly budgets: Budgets;
  public readonly store: RedisStore;

  public constructor(
    port: number,
    limits: readonly PolicyLimit[],
    id: string,
    timeoutMs = 200,
    more: Partial<RedisSettings> = {},
  ) {
    this.budgets = new Budgets(monotonicClock, id);
    this.budgets.use({ limits, models: [] });
    const settings = {
      ...DEFAULT_REDIS,
      address: `127.0.0.1:${port}`,
      timeoutMs,
      ...more,
    };
    this.store = new RedisStore(settings, { budgets: this.budgets, log: LOG, clock: monotonicClock, pickerId: id });
  }

  public claim(client = 'alice', demand = DEMAND): Reservation {
    const subject = {
      client,
      tenant: undefined,
      apiKey: undefined,
      model: 'm',
      pool: 'p',
      claim: () => undefined,
      header: () => undefined,
    };
    return this.budgets.claim(subject, demand) as Reservation;
  }

  public reserve(reservation: Reservation): Promise<ReserveResult> {
    return new Promise((resolve) => this.store.reserve(reservation, resolve));
  }

  public settle(reservation: Reservation, tokens: number): void {
    this.store.settle(reservation, this.budgets.settlement(reservation, DEMAND, undefined, outcome(tokens)));
  }

  public async ready(): Promise<this> {
    await eventually('a connection', async () => {
      const probe = this.claim('probe');
      const { kind } = await this.reserve(probe);
      if (kind === 'granted') this.settle(probe, 0);
      // a limit that does without the store grants too, but says no window of it
      return kind === 'granted' && probe.windows[0]! >= 0;
    });
    return this;
  }
}

describeWith(['redis-server'], 'budgets that pickers share through Redis', ({ 'redis-server': program }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'redis-'));
  let port: number;
  let redis: RunningProcess;
  let admin: Redis;
  const pickers: Picker[] = [];

  const startRedis = (): Promise<RunningProcess> =>
    startProcess(program, {
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
      ready: { port },
    });
  const picker = (limits: readonly PolicyLimit[], id: string, at = port, timeoutMs?: number): Promise<Picker> => {
    const made = new Picker(at, limits, id, timeoutMs);
    pickers.push(made);
    return made.ready();
  };
  /** Use of one client in the window under way, and how many reservations are open. */
  const counters = async (client: string, name = 'shared'): Promise<{ current: number; open: number }> => {
    const {
      w: _window,
      c: current,
      p: _previous,
      t: _tidied,
      ...open
    } = await admin.hgetall(`aig:{limits}:${name}:client::3600:${client}`);
    return { current: Number(current), open: Object.keys(open).length };
  };

  beforeAll(async () => {
    port = await freePort();
    redis = await startRedis();
    admin = new Redis({ host: '127.0.0.1', port, lazyConnect: true });
    admin.on('error', () => undefined);
    await admin.connect();
  });

  afterEach(async () => {
    await Promise.all(pickers.splice(0).map(({ store }) => store.close()));
  });

  afterAll(async () => {
    admin?.disconnect();
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([2, 4])('%i pickers together never let more pass than the budget, and lose nothing of it', async (count) => {
    const client = `client-${count}`;
    const all = await Promise.all(Array.from({ length: count }, (_, i) => picker([limit()], `p${count}${i}`)));
    const claims = all.flatMap((one) => Array.from({ length: 15 }, () => ({ one, reservation: one.claim(client) })));
    const results = await Promise.all(claims.map(({ one, reservation }) => one.reserve(reservation)));
    expect(results.filter(({ kind }) => kind === 'granted')).toHaveLength(10);
    expect(await counters(client)).toEqual({ current: 1_000, open: 10 });
    claims.forEach(({ one, reservation }, i) => {
      if (results[i]!.kind === 'granted') one.settle(reservation, 7);
    });
    await eventually('the settlements', async () => (await counters(client)).open === 0);
    expect(await counters(client)).toEqual({ current: 70, open: 0 });
  });

  test('all limits of a request, or none: one that has no room leaves the others as they were', async () => {
    const one = await picker([limit(), limit({ name: 'tight', amount: 150 })], 'pa');
    expect((await one.reserve(one.claim('all'))).kind).toBe('granted');
    const refused = await one.reserve(one.claim('all'));
    expect(refused).toMatchObject({ kind: 'denied', denial: { rule: { name: 'tight' }, remaining: 50 } });
    expect(await counters('all')).toEqual({ current: 100, open: 1 });
  });

  test('limits of requests, and of requests at one time, hold over all pickers', async () => {
    const rules = [
      limit({ name: 'rate', unit: 'requests', amount: 8 }),
      { ...limit({ name: 'at-once', unit: 'concurrent', amount: 3 }), windowSeconds: undefined as never },
    ];
    const [one, two] = [await picker(rules, 'pu1'), await picker(rules, 'pu2')];
    const names: (string | undefined)[] = [];
    for (let round = 0; round < 4; round++) {
      const claims = [one, two, one, two].map((each) => ({ each, reservation: each.claim('units') }));
      const results = await Promise.all(claims.map(({ each, reservation }) => each.reserve(reservation)));
      names.push(...results.map((result) => (result.kind === 'denied' ? result.denial.rule.name : result.kind)));
      claims.forEach(({ each, reservation }, i) => {
        if (results[i]!.kind === 'granted') each.settle(reservation, 1_000);
      });
      await eventually('the ends', async () => (await admin.exists('aig:{limits}:at-once:client:::concurrent:units')) === 0);
    }
    expect(names.filter((name) => name === 'granted')).toHaveLength(8);
    expect(names.slice(0, 4).filter((name) => name === 'at-once')).toHaveLength(1);
    expect(names.slice(-4)).toEqual(['rate', 'rate', 'rate', 'rate']);
  });

  test('a limit that cuts answers leaves room for what is left, in one question', async () => {
    const one = await picker(
      [limit({ clamp: true }), limit({ name: 'dear', clamp: true, weights: { input: 1, output: 2, cached: 1 } })],
      'pq',
    );
    const reservation = one.claim('cut', { ...DEMAND, maxTokens: 30_000 });
    expect((await one.reserve(reservation)).kind).toBe('granted');
    expect([reservation.outputBound, reservation.charges]).toEqual([500, [500, 1_000]]);
    expect(await counters('cut')).toEqual({ current: 500, open: 1 });
    expect(await one.reserve(one.claim('cut'))).toMatchObject({ kind: 'denied', denial: { charge: 32, rule: { name: 'dear' } } });
    one.settle(reservation, 400);
    await eventually('the settlement', async () => (await counters('cut', 'dear')).current === 800);
  });

  test('each picker shows how the keys stand that it has asked for, whoever used them', async () => {
    const [one, two] = [await picker([limit()], 'pv1'), await picker([limit()], 'pv2')];
    const [mine, theirs] = [one.claim('shown'), two.claim('shown')];
    for (const [each, reservation] of [
      [one, mine],
      [two, theirs],
    ] as const) {
      expect((await each.reserve(reservation)).kind).toBe('granted');
    }
    two.settle(theirs, 1_950);
    await eventually('the settlement', async () => (await counters('shown')).open === 1);
    const page = async (): Promise<any> => {
      let text = '';
      for await (const piece of limitsPage(one.budgets, one.store)) text += piece;
      return JSON.parse(text).limits[0];
    };
    const shown = (await page()).highest.find((entry: { key: string }) => entry.key === 'shown');
    expect(shown).toMatchObject({ used: 2_050, remaining: 0, thisWindow: 2_050, reserved: 100, requestsUnderWay: 1 });
    await eventually('the debt', () => two.budgets.metrics.limit(two.budgets.rules[0]!).debtTokens === 1_050);
    await one.store.close();
    expect(await page()).toMatchObject({ keys: 0, highest: [], unknown: expect.stringContaining('the store does not answer') });
  });

  test('what a picker that died had set aside is given back when its time is over', async () => {
    const one = await picker([limit()], 'pd');
    const lost = one.claim('dead');
    expect((await one.reserve(lost)).kind).toBe('granted');
    await admin.hset('aig:{limits}:shared:client::3600:dead', lost.id, `100|${lost.windows[0]}|1`, 't', 0);
    const next = one.claim('dead');
    expect((await one.reserve(next)).kind).toBe('granted');
    expect(await counters('dead')).toEqual({ current: 100, open: 1 });
  });

  test('a settlement that is sent twice counts once', async () => {
    const one = await picker([limit()], 'pt');
    const reservation = one.claim('twice');
    await one.reserve(reservation);
    const lossy = one.store as unknown as { send(settlement: object, again: boolean): Promise<void> };
    const send = lossy.send.bind(one.store);
    let lost = 0;
    lossy.send = async (settlement, again) => {
      await send(settlement, again);
      if (lost++ === 0) throw new Error('the answer got lost');
    };
    one.settle(reservation, 30);
    await eventually('the second time', () => lost === 2);
    expect(await counters('twice')).toEqual({ current: 30, open: 0 });
  });

  test('a read-only store is one that does not answer, and a finished answer waits for it', async () => {
    const one = await picker([limit()], 'pr');
    const reservation = one.claim('readonly');
    await one.reserve(reservation);
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    expect((await one.reserve(one.claim('readonly'))).kind).toBe('unavailable');
    one.settle(reservation, 44);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await eventually('the settlement', async () => (await counters('readonly')).open === 0);
    expect(await counters('readonly')).toEqual({ current: 44, open: 0 });
  });

  describe('a slow store', () => {
    let proxy: Forwarder;

    beforeAll(async () => {
      proxy = new Forwarder(port);
      await proxy.listen();
    });

    afterAll(() => proxy.close());

    test('holds a request no longer than its timeout, is then left alone, and keeps nothing of it', async () => {
      const one = await picker([limit()], 'ps', proxy.port, 20);
      proxy.delayMs = 150;
      const startedMs = performance.now();
      expect((await one.reserve(one.claim('slow'))).kind).toBe('unavailable');
      expect(performance.now() - startedMs).toBeLessThan(140);
      await one.reserve(one.claim('slow'));
      await one.reserve(one.claim('slow'));
      let answered = false;
      void one.reserve(one.claim('slow')).then(() => (answered = true));
      await Promise.resolve();
      expect(answered).toBe(true);
      await eventually('what came too late to be given back', async () => {
        const { current, open } = await counters('slow');
        return current === 0 && open === 0;
      });
    });
  });

  test('each limit does what it says when the store is gone, and what was used is not lost', async () => {
    const kinds = { closed: limit(), open: limit({ name: 'open', onStoreFailure: 'open' }) };
    const local = limit({ name: 'local', amount: 250, onStoreFailure: 'local' });
    const closed = await picker([kinds.closed], 'k1');
    const open = await picker([kinds.open], 'k2');
    const alone = await picker([local], 'k3');
    await picker([local], 'k4');
    const underWay = closed.claim('kill');
    await closed.reserve(underWay);
    await redis.stop();
    await eventually(
      'the end of the connection',
      async () => (await closed.reserve(closed.claim('kill'))).kind === 'unavailable',
    );
    const kindOf = async (one: Picker): Promise<string> => (await one.reserve(one.claim('kill'))).kind;
    expect(await kindOf(closed)).toBe('unavailable');
    for (let i = 0; i < 30; i++) expect(await kindOf(open)).toBe('granted');
    // four pickers were seen, so each has a quarter of the limit, less than what this request is estimated at
    const results = [await kindOf(alone), await kindOf(alone), await kindOf(alone), await kindOf(alone)];
    expect(results[0]).toBe('granted');
    expect(results).toContain('denied');
    closed.settle(underWay, 55);
    redis = await startRedis();
    await eventually('the settlement', async () => admin.status === 'ready' && (await counters('kill')).current === 55, 15_000);
    await eventually('the store again', async () => (await closed.reserve(closed.claim('again'))).kind === 'granted');
  }, 40_000);

  test.each([
    'killed',
    'demoted',
  ] as const)('a replica takes over from a primary that is %s: each limit does what it says meanwhile, and what was copied is not lost', async (end) => {
    const [first, second] = [await freePort(), await freePort()];
    const start = (at: number, ...more: string[]): Promise<RunningProcess> =>
      startProcess(program, {
        args: [
          '--port',
          String(at),
          '--bind',
          '127.0.0.1',
          '--save',
          '',
          '--dir',
          folder,
          '--repl-diskless-sync-delay',
          '0',
          ...more,
        ],
        ready: { port: at },
      });
    const primary = await start(first);
    const replica = await start(second, '--replicaof', `127.0.0.1 ${first}`);
    const [old, next] = [first, second].map((at) => new Redis({ host: '127.0.0.1', port: at, retryStrategy: () => null })) as [
      Redis,
      Redis,
    ];
    for (const each of [old, next]) each.on('error', () => undefined);
    const forwarder = new Forwarder(first);
    await forwarder.listen();
    const { port: known } = forwarder;
    const timeoutMs = 100;
    const [closed, open, other] = await Promise.all([
      picker([limit()], `f1${end}`, known, timeoutMs),
      picker([limit({ name: 'open', onStoreFailure: 'open' })], `f2${end}`, known, timeoutMs),
      picker([limit()], `f3${end}`, known, timeoutMs),
    ]);
    // the last of four: it knows how many there are
    const alone = await picker([limit({ name: 'local', onStoreFailure: 'local' })], `f4${end}`, known, timeoutMs);
    const [finished, underWay] = [closed.claim('moved'), closed.claim('moved')];
    for (const each of [finished, underWay]) expect((await closed.reserve(each)).kind).toBe('granted');
    closed.settle(finished, 300);
    const onReplica = async (): Promise<number> => Number(await next.hget('aig:{limits}:shared:client::3600:moved', 'c'));
    await eventually('the copy', async () => (await onReplica()) === 400);

    if (end === 'killed') await primary.stop('SIGKILL');
    else await old.call('REPLICAOF', '127.0.0.1', String(second));
    const kinds = async (one: Picker, count: number): Promise<string[]> => {
      const results: string[] = [];
      for (let i = 0; i < count; i++) {
        const startedMs = performance.now();
        results.push((await one.reserve(one.claim('moved'))).kind);
        // the time-out, and what a busy machine adds to it
        expect(performance.now() - startedMs).toBeLessThan(timeoutMs + 400);
      }
      return results;
    };
    expect(await kinds(closed, 3)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(await kinds(open, 20)).toEqual(new Array<string>(20).fill('granted'));
    // of four pickers each has a quarter: two requests of 100, and no third
    expect(await kinds(alone, 4)).toEqual(['granted', 'granted', 'denied', 'denied']);
    closed.settle(underWay, 250);

    await next.call('REPLICAOF', 'NO', 'ONE');
    forwarder.target = second;
    await eventually('the settlement in the new primary', async () => (await onReplica()) === 550);
    await eventually('the other picker', async () => (await other.reserve(other.claim('probe'))).kind === 'granted');
    const left = await Promise.all(
      Array.from({ length: 8 }, (_, i) => [closed, other][i % 2]!).map((one) => one.reserve(one.claim('moved'))),
    );
    // 450 are free: four requests of 100, whichever picker asks
    expect(left.filter(({ kind }) => kind === 'granted')).toHaveLength(4);
    await Promise.all(pickers.splice(0).map(({ store }) => store.close()));
    forwarder.close();
    old.disconnect();
    next.disconnect();
    await Promise.all([primary.stop(), replica.stop()]);
  }, 40_000);

  test('a password comes from its file', async () => {
    const file = path.join(folder, 'password');
    writeFileSync(file, 'sesame\n');
    await admin.config('SET', 'requirepass', 'sesame');
    const one = new Picker(port, [limit()], 'pw', 200, { passwordFile: file });
    pickers.push(one);
    await one.ready();
    expect((await one.reserve(one.claim('password'))).kind).toBe('granted');
  });

  test('a user of the access list needs no more than the keys and commands of limits', async () => {
    const file = path.join(folder, 'user-password');
    writeFileSync(file, 'open\n');
    const rights = [
      '~own:*',
      '+evalsha',
      '+eval',
      '+info',
      '+time',
      '+hset',
      '+hmget',
      '+hgetall',
      '+hdel',
      '+del',
      '+pexpire',
      '+zadd',
      '+zcard',
    ];
    await admin.call('ACL', 'SETUSER', 'limits', 'on', '>open', ...rights, '+zremrangebyscore');
    const settings = { username: 'limits', passwordFile: file, keyPrefix: 'own:' };
    const one = new Picker(port, [limit(), limit({ name: 'cut', clamp: true })], 'pl', 200, settings);
    pickers.push(one);
    await one.ready();
    const reservation = one.claim('acl');
    expect((await one.reserve(reservation)).kind).toBe('granted');
    one.settle(reservation, 5);
    const key = 'own:{limits}:shared:client::3600:acl';
    await eventually('the settlement', async () => Number(await admin.hget(key, 'c')) === 5);
  });

  test('a store is asked over TLS, with a certificate of its own authority and one of the picker', async () => {
    const ca = await certificate();
    const file = (name: string, text: string): string => {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const [caFile, keyFile] = [file('ca.crt', ca.cert), file('ca.key', ca.key)];
    const tlsPort = await freePort();
    const secure = await startProcess(program, {
      args: [
        ...['--port', '0', '--tls-port', String(tlsPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
        ...['--tls-cert-file', caFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile, '--tls-auth-clients', 'yes'],
      ],
      ready: { port: tlsPort },
    });
    const tls = { address: `localhost:${tlsPort}`, tls: true };
    const one = new Picker(tlsPort, [limit()], 'ps1', 500, { ...tls, caFile, certFile: caFile, keyFile });
    const stranger = new Picker(tlsPort, [limit()], 'ps2', 500, { ...tls, caFile });
    const trusting = new Picker(tlsPort, [limit()], 'ps3', 500, { ...tls, certFile: caFile, keyFile });
    pickers.push(one, stranger, trusting);
    await one.ready();
    expect((await one.reserve(one.claim('tls'))).kind).toBe('granted');
    for (const other of [stranger, trusting]) expect((await other.reserve(other.claim('tls'))).kind).toBe('unavailable');
    await secure.stop();
  });
});
