import { Adapters } from '../../../../../src/simulation/engine/core/adapters';
import { Batch } from '../../../../../src/simulation/engine/core/batch';
import { KvCache } from '../../../../../src/simulation/engine/core/kv-cache';
import { type EngineProfile, engineProfile } from '../../../../../src/simulation/engine/core/profile';
import { Sequence } from '../../../../../src/simulation/engine/core/sequence';

/** Four blocks of four tokens. */
function setUp(changes: Partial<EngineProfile> = {}) {
  const profile = engineProfile({ blockTokens: 4, kvBlocks: 4, maxModelTokens: 16, ...changes });
  const kv = new KvCache(profile.kvBlocks, profile.prefixCaching);
  const batch = new Batch(profile, kv, new Adapters(1), () => undefined);
  const arrive = (promptCount: number, from: number) => {
    const promptTokens = Int32Array.from({ length: promptCount }, (_, i) => from + i);
    const sequence = new Sequence(
      { promptTokens, outputTokens: new Int32Array(4), finishReason: 'stop' },
      0,
      profile.blockTokens,
    );
    batch.waiting.push(sequence);
    return sequence;
  };
  return { batch, kv, arrive };
}

/** What the engine does at the end of a step. */
function endStep(batch: Batch): void {
  for (const sequence of batch.running) {
    sequence.computedTokens += sequence.stepTokens;
    sequence.stepTokens = 0;
    if (sequence.computedTokens === sequence.knownTokens) sequence.emittedTokens++;
  }
}

describe('Batch', () => {
  it('does not count cached blocks twice, as found and as free', () => {
    const { batch, kv, arrive } = setUp();
    const cached: number[] = [];
    kv.allocate(2, cached);
    const newcomer = arrive(12, 1);
    kv.name(cached[0]!, newcomer.blockNames[0]!);
    kv.name(cached[1]!, newcomer.blockNames[1]!);
    kv.release(cached);
    const others: number[] = [];
    kv.allocate(2, others);
    // Two blocks are free, and both hold what the newcomer would share: nothing is left for its third.
    expect(kv.unusedBlocks).toBe(2);
    batch.plan();
    expect(batch.waiting).toEqual([newcomer]);
    expect(newcomer.blocks).toEqual([]);
    kv.release(others);
    batch.plan();
    expect(batch.running).toEqual([newcomer]);
    expect(newcomer.blocks).toHaveLength(3);
    expect(newcomer.cachedTokens).toBe(8);
  });

  it('puts a preempted sequence in front of the queue, and lets nobody in before the next step', () => {
    const { batch, kv, arrive } = setUp({ prefixCaching: false });
    const [old, young] = [arrive(8, 1), arrive(8, 100)];
    batch.plan();
    endStep(batch);
    const small = arrive(1, 200);
    const work = batch.plan()!;
    expect(work).toMatchObject({ preemptedSequences: 1, decodeSequences: 1, prefillStarts: 0 });
    expect(batch.running).toEqual([old]);
    expect(batch.waiting).toEqual([young, small]);
    expect([young.blocks.length, kv.unusedBlocks]).toEqual([0, 1]);
  });

  it('lets nobody in with memory that was just taken, even for a part of its prompt', () => {
    const { batch, kv, arrive } = setUp({ prefixCaching: false, maxBatchedTokens: 4 });
    const [old, young] = [arrive(8, 1), arrive(8, 100)];
    for (let step = 0; step < 3; step++) {
      batch.plan();
      endStep(batch);
    }
    // The older has three blocks and room for three tokens in the last; the younger has begun in the fourth and needs another.
    expect([old.blocks.length, young.blocks.length, young.computedTokens]).toEqual([3, 1, 3]);
    expect(batch.plan()).toMatchObject({ preemptedSequences: 1, decodeSequences: 1, prefillTokens: 0 });
    expect([batch.running, batch.waiting, kv.unusedBlocks]).toEqual([[old], [young], 1]);
  });

  it('has nothing to do without sequences', () => {
    expect(setUp().batch.plan()).toBeUndefined();
  });
});
