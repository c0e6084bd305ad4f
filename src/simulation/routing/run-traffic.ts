import { EndpointStore } from '../../picker/datastore/endpoint-store';
import { type Endpoint, formatHostPort } from '../../picker/scheduling/interface/endpoint-snapshot';
import { SeededRandom } from '../../shared/random';
import { Engine } from '../engine/core/engine';
import type { EngineProfile } from '../engine/core/profile';
import { VirtualTimeline } from '../engine/core/timeline';
import { Measures, type RunResult } from './measures';
import type { Router, RouterFactory } from './router';
import type { Traffic, TrafficRequest } from './traffic';

export interface RunOptions {
  readonly traffic: Traffic;
  readonly router: RouterFactory;
  /** One profile for each engine. */
  readonly engines: readonly EngineProfile[];
  readonly seed: number;
  readonly durationMs: number;
  /** Requests that arrive earlier are served and not measured. */
  readonly warmUpMs: number;
  /** How often each engine's figures are read. @default 50 */
  readonly scrapeIntervalMs?: number;
  /** When the first engine is replaced by a fresh one; never unless given. */
  readonly restartAtMs?: number;
}

/** Runs traffic through a router to simulated engines, all in virtual time; the same options give the same result. */
export function runTraffic(options: RunOptions): RunResult {
  return new TrafficRun(options).run();
}

class TrafficRun {
  private readonly timeline = new VirtualTimeline();
  private readonly store = new EndpointStore();
  private readonly engines = new Map<number, Engine>();
  private readonly measures = new Measures();
  private readonly router: Router;
  private readonly random: SeededRandom;
  private readonly members: Endpoint[] = [];

  public constructor(private readonly options: RunOptions) {
    const { engines, seed, router } = options;
    this.random = new SeededRandom(seed + 1);
    for (const [index, profile] of engines.entries()) this.join(profile, index);
    // an instant of 0 means "never" in the table
    const clock = { nowMs: () => this.timeline.nowMs() + 1 };
    this.router = router({ store: this.store, clock, seed: seed + 2 });
  }

  public run(): RunResult {
    const { traffic, seed, durationMs, warmUpMs, restartAtMs } = this.options;
    for (const { atMs, request } of traffic.arrivals(seed, durationMs)) this.arrive(atMs, request);
    if (restartAtMs !== undefined) this.timeline.schedule(restartAtMs, () => this.restart());
    // what still runs a minute later has not been served
    this.timeline.run(durationMs + 60_000);
    return this.measures.result(this.router.name, traffic.name, [...this.engines.values()], durationMs - warmUpMs);
  }

  private join(profile: EngineProfile, i: number): void {
    const address = `10.0.0.${i + 1}`;
    const name = `engine-${i}`;
    this.members.push({ name, address, port: 8000, labels: {}, ready: true, hostPort: formatHostPort(address, 8000) });
    this.store.replaceAll(this.members);
    const slot = this.store.snapshot.byHostPort.get(formatHostPort(address, 8000))!;
    const engine = new Engine(this.timeline, profile, this.options.seed + i);
    for (const adapter of this.options.traffic.adapters ?? []) engine.adapters.register(adapter, adapter);
    this.engines.set(slot, engine);
    this.scrape(slot);
  }

  private restart(): void {
    const [first] = this.members;
    const slot = this.store.snapshot.byHostPort.get(first!.hostPort)!;
    const { profile } = this.engines.get(slot)!;
    this.members.shift();
    // its requests still end: a pod that drains
    this.store.replaceAll(this.members);
    this.join(profile, this.options.engines.length);
  }

  /** Reads the engine's figures, now and after every interval. */
  private scrape(slot: number): void {
    const { scrapeIntervalMs = 50 } = this.options;
    const { table } = this.store.snapshot;
    const engine = this.engines.get(slot)!;
    table.waiting[slot] = engine.waitingRequests;
    table.running[slot] = engine.runningSequences;
    table.kvUsageRatio[slot] = engine.kv.usageRatio;
    table.blockSizeTokens[slot] = engine.profile.blockTokens;
    table.kvBlocks[slot] = engine.profile.kvBlocks;
    const { running, waiting } = engine.adaptersInUse();
    table.setAdapters(slot, engine.profile.maxAdapters, running, waiting);
    table.scrapeIntervalMs[slot] = scrapeIntervalMs;
    table.updatedAtMs[slot] = this.timeline.nowMs() + 1;
    if (this.timeline.nowMs() > this.options.durationMs + 60_000) return;
    this.timeline.schedule(this.timeline.nowMs() + scrapeIntervalMs * (0.9 + 0.2 * this.random.next()), () => this.scrape(slot));
  }

  private isMeasuring(atMs: number): boolean {
    return atMs >= this.options.warmUpMs && atMs < this.options.durationMs;
  }

  private arrive(atMs: number, request: TrafficRequest): void {
    this.timeline.schedule(atMs, () => this.send(request));
  }

  private send(request: TrafficRequest): void {
    const atMs = this.timeline.nowMs();
    // nobody goes on asking after the end
    if (atMs >= this.options.durationMs) return;
    const isMeasured = this.isMeasuring(atMs);
    if (isMeasured) this.measures.offered++;
    const choice = this.router.route(request);
    if (choice === undefined) return;
    const { slot, ticket } = choice;
    const outputTokens = Int32Array.from({ length: request.outputTokens }, () => Math.floor(this.random.next() * 2 ** 31));
    let firstByteMs = -1;
    const sequence = this.engines.get(slot)!.submit({
      promptTokens: request.promptTokens,
      outputTokens,
      finishReason: 'stop',
      adapter: request.adapter,
      onToken: (index, nowMs) => {
        if (index > 0) return;
        firstByteMs = nowMs - atMs;
        this.router.answered(ticket);
      },
      onFinish: ({ promptTokens, cachedTokens, finishedMs }) => {
        this.router.settled(ticket, { status: 200, outputTokens: request.outputTokens, firstByteMs });
        if (this.isMeasuring(finishedMs)) this.measures.answers++;
        if (isMeasured) this.measures.served({ slot, firstByteMs, totalMs: finishedMs - atMs, promptTokens, cachedTokens });
        const { next } = request;
        if (next === undefined) return;
        const history = new Int32Array(request.promptTokens.length + outputTokens.length);
        history.set(request.promptTokens);
        history.set(outputTokens, request.promptTokens.length);
        this.arrive(finishedMs + next.afterMs, next.request(history));
      },
    });
    if (typeof sequence === 'string') this.router.settled(ticket, { status: 503, outputTokens: -1, firstByteMs: -1 });
  }
}
