import fc from 'fast-check';
import { PrefixIndex } from '../../src/picker/scheduling/plugins/producer/approx-prefix-cache-producer/prefix-index';
import { hashBlocks } from '../../src/shared/hash';
import { fuzzRuns } from './corpus';

const SLOTS = 5;

const GAIN = 0.2;

interface PlainBlock {
  readonly recordedAt: number;
  readonly demand: number;
}

/** The plainest index that one can write: a Map for each slot, in order of recency. */
class PlainIndex {
  public readonly slots = Array.from({ length: SLOTS }, () => new Map<string, PlainBlock>());
  private now = 0;

  public record(keys: readonly string[], slot: number, capacity: number): void {
    const known = this.slots[slot]!;
    this.now++;
    const lifetime = this.lifetime(slot);
    const blocks = new Map(known);
    for (const key of keys.slice(0, capacity).reverse()) {
      const before = blocks.get(key);
      const recency = before === undefined ? 0 : 1 - (this.now - before.recordedAt) / lifetime;
      const demand = before === undefined ? 0 : before.demand + GAIN * (recency - before.demand);
      if (!known.delete(key)) while (known.size >= capacity) known.delete(known.keys().next().value!);
      known.set(key, { recordedAt: this.now, demand });
    }
    while (known.size > capacity) known.delete(known.keys().next().value!);
  }

  public match(keys: readonly string[], slot: number): number {
    const end = keys.findIndex((key) => !this.slots[slot]!.has(key));
    return end === -1 ? keys.length : end;
  }

  /** Until the next prompt is recorded. */
  public lifetime(slot: number): number {
    const [oldest] = this.slots[slot]!.values();
    return oldest === undefined ? 0 : this.now + 1 - oldest.recordedAt;
  }

  /** What the index says of the last of the blocks that match. */
  public about(key: string, slot: number): readonly [age: number, demand: number] {
    const { recordedAt, demand } = this.slots[slot]!.get(key)!;
    return [(this.now - recordedAt) / this.lifetime(slot), demand];
  }
}

function hashesOf(prompt: readonly number[]): { hashes: Int32Array; keys: string[] } {
  const hashes = new Int32Array(2 * prompt.length);
  hashBlocks(Int32Array.from(prompt), prompt.length, 1, { low: 7, high: 9 }, hashes);
  return { hashes, keys: prompt.map((_, i) => `${hashes[2 * i]},${hashes[2 * i + 1]}`) };
}

/** Prompts of few different words, so that many share a beginning. */
const prompt = fc.array(fc.nat({ max: 2 }), { maxLength: 12 });
const slot = fc.nat({ max: SLOTS - 1 });
const action = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('record' as const), prompt, slot, capacity: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), slot }) },
);

describe('the prefix index', () => {
  test('agrees with one Map per slot', () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 60 }),
        fc.array(prompt, { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 14 }),
        (actions, questions, hint) => {
          const index = new PrefixIndex(1000);
          index.demandGain = GAIN;
          const plain = new PlainIndex();
          for (const step of actions) {
            if (step.kind === 'forget') {
              index.forget(step.slot);
              plain.slots[step.slot]!.clear();
              continue;
            }
            const { hashes, keys } = hashesOf(step.prompt);
            index.record(hashes, keys.length, step.slot, step.capacity);
            plain.record(keys, step.slot, step.capacity);
            for (const question of [...questions, step.prompt]) {
              const { hashes: asked, keys: names } = hashesOf(question);
              for (let s = 0; s < SLOTS; s++) {
                const matched = index.match(asked, names.length, s, hint);
                expect([matched, index.lifetimeOf(s)]).toEqual([plain.match(names, s), plain.lifetime(s)]);
                if (matched === 0) continue;
                const about = [index.ageRatio(index.lifetimeOf(s)), index.demandRatio()];
                expect(about).toEqual(plain.about(names[matched - 1]!, s).map((ratio) => expect.closeTo(ratio, 5)));
              }
            }
          }
          plain.slots.forEach((known, s) => {
            expect(index.countOf(s)).toBe(known.size);
          });
          expect(index.size).toBe(plain.slots.reduce((sum, { size }) => sum + size, 0));
        },
      ),
      { numRuns: fuzzRuns(80) },
    );
  });

  test('never exceeds its bound, nor a slot its capacity, and always keeps the beginnings', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(action, { maxLength: 80 }), (bound, actions) => {
        const index = new PrefixIndex(bound);
        const prompts: (readonly number[])[] = [];
        for (const step of actions) {
          if (step.kind === 'forget') {
            index.forget(step.slot);
            expect(index.countOf(step.slot)).toBe(0);
            continue;
          }
          prompts.push(step.prompt);
          const { hashes } = hashesOf(step.prompt);
          index.record(hashes, step.prompt.length, step.slot, step.capacity);
          expect(index.countOf(step.slot)).toBeLessThanOrEqual(step.capacity);
          expect(index.size).toBeLessThanOrEqual(bound);
          const counts = Array.from({ length: SLOTS }, (_, s) => index.countOf(s));
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(index.size);
        }
        for (const asked of prompts.map(hashesOf)) {
          for (let s = 0; s < SLOTS; s++) {
            const known = asked.keys.map((_, i) => index.has(asked.hashes[2 * i]!, asked.hashes[2 * i + 1]!, s));
            const matched = index.match(asked.hashes, asked.keys.length, s, 0);
            expect(known).toEqual(known.map((_, i) => i < matched));
          }
        }
      }),
      { numRuns: fuzzRuns(80) },
    );
  });

  test('what was just recorded is found whole, if it fits', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), prompt, slot, (actions, last, at) => {
        // room for all slots, so that none has to give way to another
        const index = new PrefixIndex(30 * SLOTS);
        for (const step of actions)
          if (step.kind === 'record') index.record(hashesOf(step.prompt).hashes, step.prompt.length, step.slot, step.capacity);
        const { hashes } = hashesOf(last);
        index.record(hashes, last.length, at, 30);
        expect(index.match(hashes, last.length, at, 3)).toBe(last.length);
      }),
      { numRuns: fuzzRuns(80) },
    );
  });

  test('memory does not grow: two hundred thousand blocks through an index of a thousand', () => {
    const index = new PrefixIndex(1000);
    const hashes = new Int32Array(200);
    for (let i = 0; i < 2_000; i++) {
      hashBlocks(
        Int32Array.from({ length: 100 }, (_, k) => i * 100 + k),
        100,
        1,
        { low: i, high: 0 },
        hashes,
      );
      index.record(hashes, 100, i % 7, 400);
    }
    expect(index.size).toBe(1000);
    expect(index.match(hashes, 100, 1_999 % 7, 0)).toBe(100);
  });
});
