import type { Adapters } from './adapters';
import type { KvCache } from './kv-cache';
import type { EngineProfile } from './profile';
import type { Sequence } from './sequence';

/** What one step computes; what it costs follows from this alone. */
export interface StepWork {
  /** Prompt tokens, and tokens computed again after a preemption. */
  prefillTokens: number;
  /** Sequences whose prefill begins in this step. */
  prefillStarts: number;
  /** Sequences that decode one token. */
  decodeSequences: number;
  adaptersLoaded: number;
  /** Sequences that lost their memory so that older ones could grow; computing them again is counted when it happens. */
  preemptedSequences: number;
}

/** `overhead + starts · prefillOverhead + tokens · perToken + sequences · perSequence + loads · adapterLoad`, in simulated milliseconds. */
export function stepMs(profile: EngineProfile, work: StepWork): number {
  return (
    profile.stepOverheadMs +
    work.prefillStarts * profile.prefillOverheadMs +
    work.prefillTokens * profile.prefillMsPerToken +
    work.decodeSequences * profile.decodeMsPerSequence +
    work.adaptersLoaded * profile.adapterLoadMs
  );
}

/**
 * Continuous batching with chunked prefill, after vLLM's V1 scheduler: running sequences go first, then waiting ones in order of arrival as
 * long as sequences, tokens and memory allow; a sequence that cannot grow takes the memory of the youngest.
 */
export class Batch {
  readonly waiting: Sequence[] = [];
  readonly running: Sequence[] = [];

  constructor(
    private readonly profile: EngineProfile,
    private readonly kv: KvCache,
    private readonly adapters: Adapters,
    private readonly onFirstSchedule: (sequence: Sequence) => void,
  ) {}

  /** Chooses the next step's work and takes the memory for it. Undefined when there is nothing to do. */
  plan(): StepWork | undefined {
    if (this.running.length === 0 && this.waiting.length === 0) return undefined;
    const work: StepWork = { prefillTokens: 0, prefillStarts: 0, decodeSequences: 0, adaptersLoaded: 0, preemptedSequences: 0 };
    let budget = this.profile.maxBatchedTokens;

    for (let i = 0; i < this.running.length && budget > 0; i++) {
      const sequence = this.running[i]!;
      const tokens = Math.min(sequence.knownTokens - sequence.computedTokens, budget);
      while (!this.grow(sequence, tokens)) {
        work.preemptedSequences++;
        if (this.preemptYoungest() === sequence) break;
      }
      if (this.running[i] !== sequence) break;
      if (sequence.isDecoding) work.decodeSequences++;
      else work.prefillTokens += tokens;
      sequence.stepTokens = tokens;
      budget -= tokens;
    }
    // Memory that was just taken from one sequence is not for a newcomer.
    if (work.preemptedSequences === 0) this.admit(work, budget);
    return work;
  }

  /** Takes a sequence out, wherever it is, and frees its memory. */
  remove(sequence: Sequence): void {
    const from = this.running.includes(sequence) ? this.running : this.waiting;
    const index = from.indexOf(sequence);
    if (index >= 0) from.splice(index, 1);
    this.kv.release(sequence.blocks);
    sequence.stepTokens = 0;
  }

  /** Adapters that running sequences use. */
  adaptersInBatch(): Set<string> {
    return adaptersOf(this.running);
  }

  private admit(work: StepWork, budgetTokens: number): void {
    const inBatch = this.adaptersInBatch();
    let budget = budgetTokens;
    for (let i = 0; i < this.waiting.length && this.running.length < this.profile.maxRunningSequences && budget > 0; ) {
      const sequence = this.waiting[i]!;
      const adapter = sequence.request.adapter;
      if (adapter !== undefined && !this.adapters.fits(adapter, inBatch)) {
        i++;
        continue;
      }
      const cachedBlocks = this.kv.countCached(sequence.blockNames, sequence.cacheableBlocks);
      const cachedTokens = cachedBlocks * this.profile.blockTokens;
      const tokens = Math.min(sequence.knownTokens - cachedTokens, budget);
      const freshBlocks = sequence.blocksFor(cachedTokens + tokens) - cachedBlocks;
      if (freshBlocks > this.kv.unusedBlocks - this.kv.countUnusedAmong(sequence.blockNames, cachedBlocks)) break;

      this.kv.share(sequence.blockNames, cachedBlocks, sequence.blocks);
      this.kv.allocate(freshBlocks, sequence.blocks);
      this.waiting.splice(i, 1);
      this.running.push(sequence);
      sequence.computedTokens = cachedTokens;
      sequence.stepTokens = tokens;
      budget -= tokens;
      if (sequence.startedMs < 0) {
        sequence.cachedTokens = cachedTokens;
        this.onFirstSchedule(sequence);
      }
      if (adapter !== undefined) {
        inBatch.add(adapter);
        if (this.adapters.use(adapter, inBatch)) work.adaptersLoaded++;
      }
      work.prefillTokens += tokens;
      work.prefillStarts++;
    }
  }

  private grow(sequence: Sequence, tokens: number): boolean {
    const missing = sequence.blocksFor(sequence.computedTokens + tokens) - sequence.blocks.length;
    return missing <= 0 || this.kv.allocate(missing, sequence.blocks);
  }

  private preemptYoungest(): Sequence {
    const youngest = this.running.pop()!;
    this.kv.release(youngest.blocks);
    youngest.stepTokens = 0;
    this.waiting.unshift(youngest);
    return youngest;
  }
}

export function adaptersOf(sequences: readonly Sequence[]): Set<string> {
  const names = new Set<string>();
  for (const sequence of sequences) if (sequence.request.adapter !== undefined) names.add(sequence.request.adapter);
  return names;
}
