import fc from 'fast-check';
import { RingBuffer } from '../../../src/shared/ring-buffer';

describe('a ring buffer', () => {
  test('holds the last values, oldest first, and hands out those that go', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer()), (capacity, values) => {
        const ring = new RingBuffer<number>(capacity);
        const gone = values.map((value) => ring.push(value)).filter((value) => value !== undefined);
        const kept = values.slice(-capacity);
        expect([...ring]).toEqual(kept);
        expect(gone).toEqual(values.slice(0, Math.max(0, values.length - capacity)));
        expect(ring.length).toBe(kept.length);
        expect([ring.at(-1), ring.at(0), ring.at(kept.length - 1), ring.at(kept.length)]).toEqual([
          undefined,
          kept[0],
          kept.at(-1),
          undefined,
        ]);
      }),
    );
  });

  test.each([0, -1, 1.5, Number.NaN])('cannot hold %s values', (capacity) => {
    expect(() => new RingBuffer(capacity)).toThrow(RangeError);
  });
});
