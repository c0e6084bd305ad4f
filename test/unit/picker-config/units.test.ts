import fc from 'fast-check';
import { nearestName } from '../../../src/picker-config/nearest-name';
import { formatDurationMs, formatQuantity, parseDurationMs, parseQuantity } from '../../../src/picker-config/units';

test.each([
  ['0', 0],
  ['50ms', 50],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['100us', 0.1],
  ['60', undefined],
  ['-1s', undefined],
  ['', undefined],
  ['1 s', undefined],
  ['1d', undefined],
])('the duration %p is %p ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each([
  ['100', 100],
  ['5k', 5_000],
  ['1Gi', 2 ** 30],
  ['10MiB', 10 * 2 ** 20],
  ['25MB', 25e6],
  ['1.5Ki', 1536],
  ['1.5', undefined],
  ['-1', undefined],
  ['1m', undefined],
  ['9999999999T', undefined],
])('the quantity %p is %p', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test('a duration or a quantity reads back as it was written', () => {
  fc.assert(fc.property(fc.nat({ max: 1e9 }), (ms) => parseDurationMs(formatDurationMs(ms)) === ms));
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (value) => parseQuantity(String(formatQuantity(value))) === value),
  );
});

test.each([
  ['queue-scorr', 'queue-scorer'],
  ['QueueScorer', 'queue-scorer'],
  ['max_score_picker', 'max-score-picker'],
  ['max-score', 'max-score-picker'],
  ['max', undefined],
  ['zebra', undefined],
])('the name nearest to %s is %s', (given, expected) => {
  expect(nearestName(given, ['queue-scorer', 'max-score-picker'])).toBe(expected);
});
