import * as fc from 'fast-check';
import { EndpointStore } from '../../src/picker/datastore/endpoint-store';
import { PassModelResolver } from '../../src/picker/director/model-resolver';
import { PickerDirector } from '../../src/picker/director/picker-director';
import { QueueAdmission } from '../../src/picker/director/queue-admission';
import { externalProcessor } from '../../src/picker/ext-proc/external-processor';
import { buildScheduler, DEFAULT_SCHEDULING, LLMD_DEFAULT_SCHEDULING } from '../../src/picker/scheduling/scheduler-builder';
import { DecisionLog } from '../../src/picker/telemetry/decision-log';
import { RequestMetrics } from '../../src/picker/telemetry/request-metrics';
import { SchedulerMetrics } from '../../src/picker/telemetry/scheduler-metrics';
import { ManualClock } from '../../src/shared/clock';
import { SeededRandom } from '../../src/shared/random';
import { chat, Exchange, modes } from '../unit/picker/ext-proc/harness';
import { settings } from '../unit/picker/flow-control/support';
import { endpoint } from '../unit/picker/scheduling/support/pool';
import { fuzzRuns } from './corpus';

/** Streams that are open at once. */
const STREAMS = 6;
const ENDPOINTS = 4;

/** What a proxy, its client and an engine can do to one stream. */
const STREAM_STEPS: Readonly<Record<string, (exchange: Exchange) => unknown>> = {
  request: (exchange) => exchange.requestHeaders().requestBody(chat()),
  headersOnly: (exchange) => exchange.requestHeaders({ ':method': 'GET', ':path': '/health' }, {}, true),
  headers: (exchange) => exchange.requestHeaders({}, modes('STREAMED')),
  body: (exchange) => exchange.requestBody(chat()),
  broken: (exchange) => exchange.requestHeaders().requestBody('{"model":'),
  trailers: (exchange) => exchange.requestTrailers(),
  answer: (exchange) => exchange.responseHeaders(),
  failure: (exchange) => exchange.responseHeaders({ ':status': '503' }),
  noBody: (exchange) => exchange.responseHeaders({}, true),
  chunk: (exchange) => exchange.responseBody('{"usage":{"prompt_tokens":9,"completion_tokens":4}'),
  lastChunk: (exchange) => exchange.responseBody('}', true),
  garbage: (exchange) => exchange.bytes(Buffer.from([0xff])),
  halfClose: (exchange) => exchange.halfClose(),
};

/** The picker from its streams to its books, without sockets. */
class Books {
  public readonly store = new EndpointStore();
  public readonly clock = new ManualClock(1_000);
  public readonly queue: QueueAdmission;
  private readonly director: PickerDirector;
  private readonly method: ReturnType<typeof externalProcessor>;
  /** By name: a pod that comes again is another one. */
  private readonly lives = new Map<number, number>();
  private readonly open = new Map<number, Exchange>();

  public constructor(queues: boolean) {
    const { clock } = this;
    this.endpoints(Array.from({ length: ENDPOINTS }, (_, index) => index));
    const inner = { admit: () => undefined, wait: () => undefined, abandon: () => undefined };
    const log = { info: () => undefined } as never;
    this.queue = new QueueAdmission(inner, {
      log,
      nowMs: () => clock.nowMs(),
      wakeAt: () => undefined,
      onQueued: () => undefined,
    });
    if (queues) this.queue.use(settings({ atOnce: 1 }));
    this.director = new PickerDirector({
      scheduler: this.scheduler(false),
      models: this.models(),
      admission: this.queue,
      requests: new RequestMetrics(),
      scheduling: new SchedulerMetrics(),
      decisions: new DecisionLog(),
      clock,
    });
    this.method = externalProcessor({ director: this.director, onError: () => undefined });
  }

  public endpoints(present: readonly number[]): void {
    this.store.replaceAll(
      [...new Set(present)].map((index) => ({ ...endpoint(index), uid: `${index}/${this.lives.get(index) ?? 0}` })),
    );
    this.queue?.flow?.endpointsChanged();
  }

  /** An engine whose pod is made anew under its name and address. */
  public restart(index: number): void {
    this.lives.set(index, (this.lives.get(index) ?? 0) + 1);
    this.endpoints(
      this.store.snapshot.endpoints.flatMap((each) => (each === undefined ? [] : [Number(each.name.split('-')[1])])),
    );
  }

  /** Another configuration, over the same endpoints. */
  public reload(isOwn: boolean): void {
    this.director.use(this.scheduler(isOwn), this.models());
  }

  public act(stream: number, step: string): void {
    let exchange = this.open.get(stream);
    if (exchange === undefined) this.open.set(stream, (exchange = new Exchange(this.director, {}, this.method)));
    if (exchange.stream.ended === undefined) STREAM_STEPS[step]!(exchange);
  }

  public cut(stream: number): void {
    this.open.get(stream)?.close();
    this.open.delete(stream);
  }

  public cutAll(): void {
    for (const stream of [...this.open.keys()]) this.cut(stream);
  }

  public get inFlight(): number {
    return this.store.snapshot.table.inFlight.reduce((sum, count) => sum + count, 0);
  }

  /** No fewer requests than are open can be under way. */
  public get openStreams(): number {
    return this.open.size;
  }

  private scheduler(isOwn: boolean) {
    const config = isOwn ? DEFAULT_SCHEDULING : LLMD_DEFAULT_SCHEDULING;
    return buildScheduler(config, { source: this.store, clock: this.clock, random: new SeededRandom(1) }).scheduler!;
  }

  private models(): PassModelResolver {
    return new PassModelResolver({ name: 'pool', endpoints: this.store, setHeaders: undefined });
  }
}

const stream = fc.nat({ max: STREAMS - 1 });
const action = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('step' as const), stream, step: fc.constantFrom(...Object.keys(STREAM_STEPS)) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('step' as const), stream, step: fc.constantFrom('request', 'answer', 'chunk') }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cut' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), index: fc.nat({ max: ENDPOINTS - 1 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('endpoints' as const), present: fc.array(fc.nat({ max: ENDPOINTS - 1 })) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), isOwn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat({ max: 90_000 }) }) },
);

test.each([
  ['without queues', false],
  ['with queues', true],
])('requests under way are none again after any course of aborts, errors, restarts and reloads, %s', (_, queues) => {
  let reached = 0;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const books = new Books(queues);
      for (const act of actions) {
        if (act.kind === 'step') books.act(act.stream, act.step);
        if (act.kind === 'cut') books.cut(act.stream);
        if (act.kind === 'restart') books.restart(act.index);
        if (act.kind === 'endpoints') books.endpoints(act.present);
        if (act.kind === 'reload') books.reload(act.isOwn);
        if (act.kind === 'time') {
          books.clock.advance(act.ms);
          books.queue.flow?.tick();
        }
        reached = Math.max(reached, books.inFlight);
        expect(books.inFlight).toBeLessThanOrEqual(books.openStreams);
        expect(books.store.snapshot.table.inFlight.every((count) => count >= 0)).toBe(true);
      }
      books.cutAll();
      const { table } = books.store.snapshot;
      expect([...table.inFlight].filter((count) => count !== 0)).toEqual([]);
      for (const tokens of [table.prefillTokens, table.promptTokensInFlight, table.outputTokensInFlight]) {
        expect([...tokens].filter((count) => count !== 0)).toEqual([]);
      }
      expect(books.queue.flow?.queued ?? 0).toBe(0);
      const flows = [...(books.queue.flow?.allLines() ?? [])].flatMap((line) => line.bands.flatMap((band) => [...band.active()]));
      expect(flows).toEqual([]);
    }),
    { numRuns: fuzzRuns(300) },
  );
  // a property of nothing would hold as well
  expect(reached).toBeGreaterThan(2);
});
