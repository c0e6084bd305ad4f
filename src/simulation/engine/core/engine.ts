import { Adapters } from './adapters';
import { adaptersOf, Batch, stepMs } from './batch';
import { EngineStats } from './engine-stats';
import { type EngineFaults, NO_FAULTS } from './faults';
import { KvCache } from './kv-cache';
import { defaultProfile, type EngineProfile } from './profile';
import { type Random, seededRandom } from './random';
import { Sequence, type SequenceRequest } from './sequence';
import type { Timeline } from './timeline';

/** Why an engine does not take a request. */
export type Refusal = 'loading' | 'queue-full' | 'too-long' | 'empty' | 'unknown-adapter';

/**
 * A simulated inference engine: requests in, tokens out at the instants at which an engine of this profile would make them. Pure: time
 * comes from the timeline, and nothing depends on anything but the requests, the profile and the seed.
 */
export class Engine {
  readonly stats: EngineStats;
  readonly adapters: Adapters;
  readonly kv: KvCache;
  private readonly batch: Batch;
  private readonly random: Random;
  private readonly readyAtMs: number;
  private stepping = false;
  private faultsInForce: EngineFaults = NO_FAULTS;

  constructor(
    private readonly timeline: Timeline,
    readonly profile: EngineProfile = defaultProfile,
    seed = 1,
  ) {
    this.stats = new EngineStats(profile.maxModelTokens);
    this.adapters = new Adapters(profile.maxAdapters);
    this.kv = new KvCache(profile.kvBlocks, profile.prefixCaching);
    this.random = seededRandom(seed);
    this.readyAtMs = timeline.nowMs() + profile.loadMs;
    this.batch = new Batch(profile, this.kv, this.adapters, (sequence) => {
      sequence.startedMs = timeline.nowMs();
      this.stats.started(sequence);
    });
  }

  get isReady(): boolean {
    return this.timeline.nowMs() >= this.readyAtMs;
  }

  get faults(): EngineFaults {
    return this.faultsInForce;
  }

  /** From here on; the step under way ends as it would have. */
  set faults(faults: EngineFaults) {
    this.faultsInForce = faults;
    this.wake();
  }

  get runningSequences(): number {
    return this.batch.running.length;
  }

  get waitingRequests(): number {
    return this.batch.waiting.length;
  }

  /** Names of adapters that running and that only waiting requests use. */
  adaptersInUse(): { running: string[]; waiting: string[] } {
    const running = this.batch.adaptersInBatch();
    return { running: [...running], waiting: [...adaptersOf(this.batch.waiting)].filter((name) => !running.has(name)) };
  }

  /** Takes a request, or says why not. Its first token comes one step later at the earliest. */
  submit(request: SequenceRequest): Sequence | Refusal {
    if (!this.isReady) return 'loading';
    if (request.promptTokens.length === 0 || request.outputTokens.length === 0) return 'empty';
    if (request.promptTokens.length + request.outputTokens.length > this.profile.maxModelTokens) return 'too-long';
    if (request.adapter !== undefined && !this.adapters.has(request.adapter)) return 'unknown-adapter';
    // A free place in the batch is as good as a place in the queue: arrivals pass through it within a step.
    const places = this.profile.maxWaitingRequests + Math.max(0, this.profile.maxRunningSequences - this.batch.running.length);
    if (this.batch.waiting.length >= places) return 'queue-full';

    const sequence = new Sequence(request, this.timeline.nowMs(), this.profile.blockTokens);
    this.batch.waiting.push(sequence);
    this.wake();
    return sequence;
  }

  /** Ends a request whose client has gone: memory is free at once, the step in flight is not shortened. */
  abort(sequence: Sequence): void {
    if (sequence.finishReason !== undefined) return;
    this.batch.remove(sequence);
    this.finish(sequence, 'abort');
  }

  private wake(): void {
    if (this.stepping || (this.batch.running.length === 0 && this.batch.waiting.length === 0)) return;
    this.stepping = true;
    // Requests of the same instant share the first step.
    this.timeline.schedule(this.timeline.nowMs(), () => this.beginStep());
  }

  private beginStep(): void {
    const { stalled, slowFactor } = this.faultsInForce;
    const work = stalled ? undefined : this.batch.plan();
    if (work === undefined) {
      this.stepping = false;
      return;
    }
    this.stats.preemptions += work.preemptedSequences;
    const jitter = 1 + this.profile.jitterRatio * (2 * this.random() - 1);
    this.timeline.schedule(this.timeline.nowMs() + stepMs(this.profile, work) * jitter * slowFactor, () => this.endStep());
  }

  private endStep(): void {
    // A copy, because finished sequences leave, and listeners may abort others.
    for (const sequence of [...this.batch.running]) {
      if (sequence.stepTokens === 0) continue;
      this.advance(sequence);
    }
    this.beginStep();
  }

  private advance(sequence: Sequence): void {
    const firstNewBlock = Math.floor(sequence.computedTokens / this.profile.blockTokens);
    sequence.computedTokens += sequence.stepTokens;
    sequence.stepTokens = 0;
    const fullBlocks = Math.floor(sequence.computedTokens / this.profile.blockTokens);
    for (let i = firstNewBlock; i < fullBlocks; i++) this.kv.name(sequence.blocks[i]!, sequence.blockNames[i]!);
    if (sequence.computedTokens < sequence.knownTokens) return;

    const nowMs = this.timeline.nowMs();
    this.stats.token(sequence, nowMs);
    if (sequence.firstTokenMs < 0) sequence.firstTokenMs = nowMs;
    sequence.lastTokenMs = nowMs;
    const index = sequence.emittedTokens++;
    sequence.nameFullBlocks();
    sequence.request.onToken?.(index, nowMs);
    if (sequence.finishReason === undefined && sequence.emittedTokens === sequence.request.outputTokens.length) {
      this.batch.remove(sequence);
      this.finish(sequence, sequence.request.finishReason);
    }
  }

  private finish(sequence: Sequence, reason: 'stop' | 'length' | 'abort'): void {
    sequence.finishReason = reason;
    sequence.finishedMs = this.timeline.nowMs();
    this.stats.done(sequence);
    sequence.request.onFinish?.(sequence);
  }
}
