import fc from 'fast-check';
import { Engine } from '../../src/simulation/engine/core/engine';
import { engineProfile } from '../../src/simulation/engine/core/profile';
import { Sequence } from '../../src/simulation/engine/core/sequence';
import { VirtualTimeline } from '../../src/simulation/engine/core/timeline';
import { tokenize } from '../../src/simulation/engine/core/tokenizer';

const arrival = fc.record({
  atMs: fc.integer({ min: 0, max: 2000 }),
  prompt: fc.integer({ min: 1, max: 40 }),
  output: fc.integer({ min: 1, max: 20 }),
  /** Few distinct prefixes, so that sharing happens. */
  family: fc.integer({ min: 0, max: 3 }),
  adapter: fc.constantFrom(undefined, 'red', 'blue'),
  abortAfterMs: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
});

const scenario = fc.record({
  seed: fc.integer(),
  kvBlocks: fc.integer({ min: 15, max: 40 }),
  maxRunningSequences: fc.integer({ min: 1, max: 8 }),
  maxBatchedTokens: fc.integer({ min: 1, max: 64 }),
  maxAdapters: fc.integer({ min: 1, max: 2 }),
  arrivals: fc.array(arrival, { maxLength: 40 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** Runs a scenario to its end, checking at every token what must hold at every instant. */
function play({ seed, arrivals, ...limits }: Scenario): { engine: Engine; sequences: Sequence[]; log: string[] } {
  const timeline = new VirtualTimeline();
  const profile = engineProfile({ ...limits, blockTokens: 4, maxModelTokens: 60, jitterRatio: 0.1 });
  const engine = new Engine(timeline, profile, seed);
  engine.adapters.register('red', '/red');
  engine.adapters.register('blue', '/blue');
  const sequences: Sequence[] = [];
  const log: string[] = [];
  arrivals.forEach(({ atMs, prompt, output, family, adapter, abortAfterMs }, number) => {
    timeline.schedule(atMs, () => {
      const sequence = engine.submit({
        promptTokens: Int32Array.from({ length: prompt }, (_, i) => family * 1000 + i),
        outputTokens: Int32Array.from({ length: output }, (_, i) => 10_000 + number * 100 + i),
        finishReason: 'stop',
        adapter,
        onToken: (index, nowMs) => {
          log.push(`${number}:${index}@${nowMs}`);
          expect(engine.kv.usageRatio).toBeGreaterThan(0);
          expect(engine.kv.usageRatio).toBeLessThanOrEqual(1);
          expect(engine.runningSequences).toBeLessThanOrEqual(limits.maxRunningSequences);
          expect(engine.adaptersInUse().running.length).toBeLessThanOrEqual(limits.maxAdapters);
        },
      });
      if (!(sequence instanceof Sequence)) throw new Error(sequence);
      sequences.push(sequence);
      if (abortAfterMs !== undefined) timeline.schedule(atMs + abortAfterMs, () => engine.abort(sequence));
    });
  });
  timeline.run();
  return { engine, sequences, log };
}

describe('a simulated engine, whatever arrives', () => {
  it('finishes every request with every token in order, or aborts it, and ends with empty memory', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const { engine, sequences, log } = play(given);
        expect(sequences).toHaveLength(given.arrivals.length);
        let tokens = 0;
        for (const sequence of sequences) {
          expect(sequence.finishReason).toBeDefined();
          tokens += sequence.emittedTokens;
          if (sequence.finishReason === 'stop') expect(sequence.emittedTokens).toBe(sequence.request.outputTokens.length);
          expect(sequence.cachedTokens).toBeLessThan(sequence.promptTokens);
          expect(sequence.cachedTokens % 4).toBe(0);
        }
        const next = new Map<string, number>();
        for (const line of log) {
          const [number, index] = line.split(/[:@]/);
          expect(Number(index)).toBe(next.get(number!) ?? 0);
          next.set(number!, Number(index) + 1);
        }
        const { stats } = engine;
        expect(stats.generationTokens).toBe(tokens);
        expect(stats.finished.stop + stats.finished.abort).toBe(sequences.length);
        expect(stats.prefixHitTokens).toBeLessThanOrEqual(stats.prefixQueriedTokens);
        expect([engine.kv.unusedBlocks, engine.runningSequences, engine.waitingRequests]).toEqual([given.kvBlocks, 0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  it('does exactly the same again with the same seed', () => {
    fc.assert(
      fc.property(scenario, (given) => expect(play(given).log).toEqual(play(given).log)),
      { numRuns: 30 },
    );
  });
});

describe('tokenize', () => {
  it('loses nothing of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const { pieces, ids } = tokenize(text);
        expect(pieces.join('')).toBe(text);
        expect(ids).toHaveLength(pieces.length);
      }),
    );
  });
});
