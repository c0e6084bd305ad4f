import { parseDurationNanos } from '../../../../src/validation/schema/duration';
import { STRING_FORMATS } from '../../../../src/validation/schema/formats';

describe('a string format', () => {
  it.each<[string, string[], string[]]>([
    ['byte', ['', 'aGVsbG8=', 'YQ=='], ['a', 'aGVsbG8', 'a b=', 'aGVs-G8=', 'aGVs\nbG8=']],
    ['base64-lines', ['', 'aGVs\r\nbG8=\n'], ['a', 'aGVs bG8=']],
    [
      'date-time',
      ['2026-01-02T03:04:05Z', '2026-01-02t03:04:05.123+01:00'],
      ['2026-01-02', '2026-13-02T03:04:05Z', '2026-01-02T24:04:05Z', '2026-02-30T00:00:00Z'],
    ],
    ['date', ['2024-02-29'], ['2025-02-29', '2025-1-1']],
    ['duration', ['1h30m', '0', '1.5s', '300ms', '-1s', '2 days', '15S X'], ['', 'abc', '5', '5 x']],
    [
      'uri',
      ['http://a/b', '/a b', 'urn:x', 'http://a:80/?%', 'http://[::1]:80/'],
      ['', 'a', 'a/b', 'http://a b/', 'http://a:b/', '/%zz', '/a\u0001'],
    ],
    ['ipv4', ['10.0.0.1'], ['10.0.0', '10.0.0.256', '::1', '10.0.0.1/8']],
    ['ipv6', ['::1', '2001:db8::1'], ['10.0.0.1', 'fe80::1%eth0', ':::']],
    ['cidr', ['10.0.0.0/8', '::/0', '2001:db8::/128'], ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/-1', '/8']],
  ])('%s accepts %j and not %j', (format, good, bad) => {
    const accepts = STRING_FORMATS[format]!;
    expect(good.filter((text) => !accepts(text))).toEqual([]);
    expect(bad.filter((text) => accepts(text))).toEqual([]);
  });
});

describe('a duration', () => {
  it.each<[string, number | undefined]>([
    ['1h2m3s', 3_723e9],
    ['-1.5s', -1.5e9],
    ['.5ms', 5e5],
    ['0', 0],
    ['2 days', 2 * 86_400e9],
    ['1 Week 1 hr', 7 * 86_400e9 + 3600e9],
    ['3 seconds', 3e9],
    ['10S', 10e9],
    ['15s X', 15e9],
    ['5 x', undefined],
    ['x', undefined],
  ])('%s has %s nanoseconds', (text, expected) => {
    expect(parseDurationNanos(text)).toBe(expected);
  });
});
