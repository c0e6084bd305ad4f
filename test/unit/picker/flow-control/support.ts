import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import type { Flow, FlowUsage, Waiting } from '../../../../src/picker/flow-control/flow';
import { FlowControl } from '../../../../src/picker/flow-control/flow-control';
import { ConcurrencySaturation } from '../../../../src/picker/flow-control/llmd-saturation';
import type { Refusal } from '../../../../src/picker/flow-control/outcome';
import type { Ask, QueuedPool } from '../../../../src/picker/flow-control/queued-request';
import type { BandSettings, FlowControlSettings } from '../../../../src/picker/flow-control/settings';
import { ManualClock } from '../../../../src/shared/clock';

export const USAGE: FlowUsage = { inputTokens: 10, outputTokens: 10, cachedTokens: 0, requestBytes: 40, responseBytes: 40 };

export function band(priority: number, changes: Partial<BandSettings> = {}): BandSettings {
  return {
    ...{ name: `band${priority}`, priority, maxRequests: 1_000, maxBytes: 1_000_000, queueMs: 60_000 },
    ...{ fairness: 'none', ordering: 'arrival', ceiling: 1, busyCeiling: 1, evicts: 'none' },
    ...changes,
  } as BandSettings;
}

/** One request at a time on each endpoint, unless changed. */
export function settings(changes: Partial<FlowControlSettings> & { atOnce?: number } = {}): FlowControlSettings {
  const { atOnce = 1, bands = [], ...rest } = changes;
  return {
    queues: true,
    bands,
    bandFor: (priority) => bands.find((one) => one.priority === priority) ?? band(priority),
    ...{ maxRequests: 100_000, maxBytes: 100_000_000, waitingRoom: { maxRequests: 3, queueMs: 5_000 } },
    saturation: new ConcurrencySaturation(atOnce, Number.POSITIVE_INFINITY, () => 0),
    ...rest,
  };
}

/** A pool with endpoints that can be set. */
export function pool(name = 'pool', endpoints = 1): QueuedPool & { readonly store: EndpointStore; set(count: number): void } {
  const store = new EndpointStore();
  const set = (count: number): void => {
    store.replaceAll(
      Array.from({ length: count }, (_, index) => {
        const address = `10.0.0.${index + 1}`;
        return { name: `pod-${index}`, address, port: 8000, labels: {}, ready: true, hostPort: `${address}:8000` };
      }),
    );
  };
  set(endpoints);
  return { name, store, endpoints: store, set };
}

export type AskChanges = Partial<Ask> & { readonly name?: string };

/** Flow control over pools whose endpoints work on what is sent there, and a list of what happened. */
export class Harness {
  public readonly clock = new ManualClock(1_000);
  public readonly pool = pool();
  /** Names of requests in the order in which they began. */
  public readonly began: string[] = [];
  public readonly refusals: { readonly name: string; readonly refusal: Refusal }[] = [];
  public readonly running = new Map<string, { readonly flow: Flow<string>; readonly pool: QueuedPool }>();
  public wakeAtMs = Number.POSITIVE_INFINITY;
  public readonly flow: FlowControl<string>;
  private asked = '';
  private readonly pools = new Map<string, readonly { readonly pool: QueuedPool }[]>();

  public constructor(rules: FlowControlSettings = settings()) {
    this.flow = new FlowControl<string>(
      rules,
      {
        ticket: () => this.asked,
        dispatch: (name, flow) => this.begin(name, flow),
        refuse: (name, refusal) => this.refusals.push({ name, refusal }),
        wakeAt: (atMs) => {
          this.wakeAtMs = atMs;
        },
      },
      () => this.clock.nowMs(),
    );
  }

  /** A request comes. */
  public enter(name: string, changes: AskChanges = {}): 'passed' | Waiting<string> | Refusal {
    this.asked = name;
    const attempts = changes.attempts ?? [{ pool: this.pool }];
    this.pools.set(name, attempts);
    const entered = this.flow.enter({
      ...{ priority: 0, fairnessId: '', bytes: 100, sloMs: -1, patienceMs: -1, model: 'm', targetModel: 'm' },
      ...changes,
      attempts,
    });
    if (entered.kind !== 'grant') return entered;
    this.begin(name, entered);
    return 'passed';
  }

  /** A request is over. */
  public finish(name: string, usage: FlowUsage = USAGE): void {
    const { flow, pool: where } = this.running.get(name)!;
    this.running.delete(name);
    const { table } = where.endpoints.snapshot;
    table.inFlight[this.slots.get(name)!]!--;
    flow.settle(usage);
  }

  /** Time passes; timers fire on the way. */
  public advance(ms: number): void {
    const untilMs = this.clock.nowMs() + ms;
    while (this.wakeAtMs <= untilMs) {
      this.clock.advance(Math.max(0, this.wakeAtMs - this.clock.nowMs()));
      this.wakeAtMs = Number.POSITIVE_INFINITY;
      this.flow.tick();
    }
    this.clock.advance(untilMs - this.clock.nowMs());
  }

  private readonly slots = new Map<string, number>();

  /** The least busy endpoint of the first pool that has one. */
  private begin(name: string, flow: Flow<string>): void {
    const where = this.pools.get(name)!.find(({ pool: one }) => one.endpoints.snapshot.ready.length > 0)!.pool;
    const { table, ready } = where.endpoints.snapshot;
    const slot = [...ready].sort((a, b) => table.inFlight[a]! - table.inFlight[b]!)[0]!;
    table.inFlight[slot]!++;
    this.slots.set(name, slot);
    this.running.set(name, { flow, pool: where });
    this.began.push(name);
  }
}
