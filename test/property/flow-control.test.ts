import fc from 'fast-check';
import type { Waiting } from '../../src/picker/flow-control/flow';
import type { Fairness, FlowControlSettings, Ordering } from '../../src/picker/flow-control/settings';
import { band, Harness, pool, settings } from '../unit/picker/flow-control/support';

type Step =
  | {
      readonly kind: 'arrive';
      readonly priority: number;
      readonly tenant: string;
      readonly bytes: number;
      readonly patienceMs: number;
    }
  | { readonly kind: 'settle' | 'leave'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'endpoints'; readonly where: number; readonly count: number }
  | { readonly kind: 'reload'; readonly rules: number }
  | { readonly kind: 'drain' };

const PRIORITIES = [100, 0, -100];
const TENANTS = ['a', 'b', 'c'];
const AT_ONCE = 2;

const arrive: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('arrive' as const),
  priority: fc.constantFrom(...PRIORITIES),
  tenant: fc.constantFrom(...TENANTS),
  bytes: fc.integer({ min: 0, max: 400 }),
  patienceMs: fc.constantFrom(-1, -1, -1, 700),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: arrive, weight: 160 },
  { arbitrary: fc.record({ kind: fc.constantFrom('settle' as const, 'leave' as const), which: fc.nat(50) }), weight: 100 },
  { arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 1_500 }) }), weight: 60 },
  {
    arbitrary: fc.record({
      kind: fc.constant('endpoints' as const),
      where: fc.nat(1),
      count: fc.integer({ min: 0, max: 3 }),
    }),
    weight: 20,
  },
  { arbitrary: fc.record({ kind: fc.constant('reload' as const), rules: fc.nat(5) }), weight: 20 },
  { arbitrary: fc.constant({ kind: 'drain' as const }), weight: 1 },
);

function rulesOf(seed: number): FlowControlSettings {
  const fairness = (['none', 'roundRobin', 'attainedService'] as Fairness[])[seed % 3]!;
  const ordering = (['arrival', 'deadline'] as Ordering[])[seed % 2]!;
  const bands = PRIORITIES.map((priority) =>
    band(priority, { fairness, ordering, maxRequests: 4, maxBytes: 1_000, queueMs: 2_000 }),
  );
  return settings({ atOnce: AT_ONCE, bands, maxRequests: 9, maxBytes: 1_500, waitingRoom: { maxRequests: 3, queueMs: 1_000 } });
}

/** What the harness is asked to do, and what must hold after each step. */
class Run {
  private readonly harness = new Harness(rulesOf(0));
  private readonly other = pool('other', 1);
  private readonly waiting = new Map<string, Waiting<string>>();
  private readonly asked: string[] = [];
  private readonly left = new Set<string>();
  private readonly refusedAtOnce = new Set<string>();
  private rules = rulesOf(0);

  public take(step: Step): void {
    const { harness } = this;
    if (step.kind === 'arrive') this.arrive(step);
    else if (step.kind === 'settle' && harness.running.size > 0) {
      harness.finish([...harness.running.keys()][step.which % harness.running.size]!);
    } else if (step.kind === 'leave' && this.stillWaiting().length > 0) {
      const names = this.stillWaiting();
      const name = names[step.which % names.length]!;
      harness.flow.leave(this.waiting.get(name)!);
      this.left.add(name);
    } else if (step.kind === 'pass') harness.advance(step.ms);
    else if (step.kind === 'endpoints') this.setEndpoints(step.where === 0 ? harness.pool : this.other, step.count);
    else if (step.kind === 'reload') {
      this.rules = rulesOf(step.rules);
      harness.flow.use(this.rules);
    } else if (step.kind === 'drain') harness.flow.drain();
    this.check();
  }

  /** All that run end, all that wait are served or expire: nothing is left over. */
  public end(): void {
    const { harness } = this;
    for (let turns = 0; harness.running.size > 0 && turns < 1_000; turns++) harness.finish([...harness.running.keys()][0]!);
    harness.advance(10_000);
    while (harness.running.size > 0) harness.finish([...harness.running.keys()][0]!);
    this.check();
    expect(this.stillWaiting()).toEqual([]);
    expect([harness.flow.queued, harness.flow.queuedBytes]).toEqual([0, 0]);
    for (const line of harness.flow.allLines()) {
      for (const one of line.bands) expect([one.queued, one.queuedBytes, [...one.active()].length]).toEqual([0, 0, 0]);
      expect(line.queued).toBe(0);
    }
    const inFlight = [harness.pool, this.other].flatMap(({ endpoints }) => [...endpoints.snapshot.table.inFlight]);
    expect(inFlight.every((count) => count === 0)).toBe(true);
  }

  private arrive({ priority, tenant, bytes, patienceMs }: Extract<Step, { kind: 'arrive' }>): void {
    const name = `r${this.asked.length}`;
    this.asked.push(name);
    const attempts = [{ pool: this.harness.pool }, { pool: this.other }];
    const entered = this.harness.enter(name, { priority, fairnessId: tenant, bytes, patienceMs, attempts });
    if (entered === 'passed') return;
    if (entered.kind === 'waiting') this.waiting.set(name, entered);
    else this.refusedAtOnce.add(name);
  }

  /** A pool that loses an endpoint loses what ran there; the harness has no answer for those, so it keeps busy ones. */
  private setEndpoints(which: ReturnType<typeof pool>, count: number): void {
    const { table } = which.endpoints.snapshot;
    const busy = [...table.inFlight].reduce((last, running, slot) => (running > 0 ? slot + 1 : last), 0);
    which.set(Math.max(count, busy));
    this.harness.flow.endpointsChanged();
  }

  private stillWaiting(): string[] {
    const gone = new Set([...this.harness.began, ...this.harness.refusals.map(({ name }) => name), ...this.left]);
    return [...this.waiting.keys()].filter((name) => !gone.has(name));
  }

  private check(): void {
    const { harness } = this;
    const answers = [...harness.began, ...harness.refusals.map(({ name }) => name), ...this.left, ...this.refusedAtOnce];
    // nobody is answered twice, and whoever is not answered waits
    expect(new Set(answers).size).toBe(answers.length);
    const waiting = this.stillWaiting();
    expect(answers.length + waiting.length).toBe(this.asked.length);
    expect(harness.flow.queued).toBe(waiting.length);
    expect(harness.flow.queuedBytes).toBe(waiting.reduce((sum, name) => sum + this.waiting.get(name)!.bytes, 0));
    // never more than an endpoint may have
    for (const { endpoints } of [harness.pool, this.other]) {
      expect(Math.max(...endpoints.snapshot.table.inFlight)).toBeLessThanOrEqual(AT_ONCE);
    }
    expect(harness.flow.queued).toBeLessThanOrEqual(this.rules.maxRequests);
    expect(harness.flow.queuedBytes).toBeLessThanOrEqual(this.rules.maxBytes);
    // nobody is kept beyond his time
    for (const name of waiting) expect(this.waiting.get(name)!.deadlineMs).toBeGreaterThanOrEqual(harness.clock.nowMs());
    this.checkRoom(waiting);
  }

  /** Whoever waits does so because every endpoint of his pool is full, or a ceiling was just reached. */
  private checkRoom(waiting: readonly string[]): void {
    if (waiting.length === 0) return;
    const first = this.harness.pool.endpoints.snapshot.ready.length > 0 ? this.harness.pool : this.other;
    const { table, ready } = first.endpoints.snapshot;
    expect([...ready].every((slot) => table.inFlight[slot]! >= AT_ONCE)).toBe(true);
  }
}

test('whatever comes in whatever order: nobody is lost or answered twice, and no bound is broken', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const run = new Run();
      for (const one of steps) run.take(one);
      run.end();
    }),
    { numRuns: 300 },
  );
});

test('who waits in a higher band always begins before who waits in a lower one', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PRIORITIES), { minLength: 1, maxLength: 60 }), (priorities) => {
      const harness = new Harness();
      harness.enter('first');
      priorities.forEach((priority, i) => {
        harness.enter(`${priority} ${i}`, { priority });
      });
      while (harness.running.size > 0) harness.finish([...harness.running.keys()][0]!);
      const served = harness.began.slice(1).map((name) => name.split(' ').map(Number) as [number, number]);
      expect(served).toEqual([...served].sort(([a, i], [b, j]) => b - a || i - j));
      expect(served).toHaveLength(priorities.length);
    }),
    { numRuns: 200 },
  );
});

test('tenants that always have somebody waiting get equal shares of tokens, whatever the sizes of their requests', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 4 }), (tokens, atOnce) => {
      const harness = new Harness(settings({ atOnce, bands: [band(0, { fairness: 'attainedService', maxRequests: 1e6 })] }));
      const used = tokens.map(() => 0);
      const rounds = 400;
      const enough = tokens.map((size) => Math.ceil((rounds * Math.max(...tokens)) / size));
      for (let i = 0; i < atOnce; i++) harness.enter(`filler ${i}`);
      // some of each are in the queue at any time, and a further one comes for each that ends
      const sent = tokens.map(() => 0);
      const send = (tenant: number): void => {
        if (sent[tenant]! < enough[tenant]!) harness.enter(`${tenant} ${sent[tenant]!++}`, { fairnessId: `t${tenant}` });
      };
      for (let i = 0; i < (3 + atOnce) * tokens.length; i++) send(i % tokens.length);
      for (let i = 0; i < atOnce; i++) harness.finish(`filler ${i}`);
      for (let i = 0; i < rounds; i++) {
        const [name] = [...harness.running.keys()];
        const tenant = Number(name!.split(' ')[0]);
        used[tenant]! += 2 * tokens[tenant]!;
        send(tenant);
        harness.finish(name!, {
          inputTokens: 0,
          cachedTokens: 0,
          outputTokens: tokens[tenant]!,
          requestBytes: 0,
          responseBytes: 0,
        });
      }
      // bounded by what is under way and the band's mean (VTC, theorem 4.4: the largest request of each, not the time)
      const bound = 2 * Math.max(...tokens) * 2 * (atOnce + 1) + 500 * (atOnce + 1);
      expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 100 },
  );
});

test('in turn, no tenant is served twice while another waits', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...TENANTS), { minLength: 1, maxLength: 60 }), (tenants) => {
      const harness = new Harness(settings({ bands: [band(0, { fairness: 'roundRobin' })] }));
      harness.enter('first');
      tenants.forEach((fairnessId, i) => {
        harness.enter(`${fairnessId}${i}`, { fairnessId });
      });
      while (harness.running.size > 0) harness.finish([...harness.running.keys()][0]!);
      const served = harness.began.slice(1).map((name) => name[0]!);
      const left = new Map(TENANTS.map((tenant) => [tenant, tenants.filter((one) => one === tenant).length]));
      let turn: string[] = [];
      for (const tenant of served) {
        if (turn.includes(tenant)) {
          // a second time only when everyone else had his turn, or has nobody
          for (const [other, count] of left) expect(count === 0 || turn.includes(other)).toBe(true);
          turn = [];
        }
        turn.push(tenant);
        left.set(tenant, left.get(tenant)! - 1);
      }
    }),
    { numRuns: 200 },
  );
});
