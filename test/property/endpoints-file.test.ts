import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseEndpointsFile } from '../../src/picker/discovery/endpoints-file';
import { parseMetricSpec } from '../../src/picker/metrics-scraper/scraper-parameters';
import { fuzzRuns } from './corpus';

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
const entry = fc.record(
  {
    name: label,
    namespace: label,
    address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
    port: fc.integer({ min: 1, max: 65_535 }).chain((port) => fc.constantFrom(port, String(port))),
    labels: fc.dictionary(label, fc.string()),
  },
  { requiredKeys: ['name', 'address', 'port'] },
);

describe('endpoints files', () => {
  test('good ones are read back as they were written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 6 }), (entries) => {
        const { endpoints, problems } = parseEndpointsFile(stringify({ endpoints: entries }), 'f');
        const seen = new Set(entries.map(({ address, port }) => `${address} ${port}`.toLowerCase()));
        if (seen.size === entries.length && problems.length > 0) {
          // two spellings of one IPv6 address
          expect(problems.every(({ code }) => code === 'AIG505')).toBe(true);
          return;
        }
        expect(endpoints?.map(({ name, namespace, port, labels }) => ({ name, namespace, port, labels }))).toEqual(
          seen.size < entries.length
            ? undefined
            : entries.map(({ name, namespace, port, labels = {} }) => ({
                name,
                namespace,
                port: Number(port),
                labels: { ...labels },
              })),
        );
      }),
      { numRuns: fuzzRuns(200) },
    );
  });

  test('anything else gives problems with a code and a place, and never an exception', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.anything({ maxDepth: 3 }).map((value) => stringifySafely({ endpoints: value })),
      fc
        .array(fc.dictionary(fc.constantFrom('name', 'address', 'port', 'labels', 'x'), fc.anything({ maxDepth: 2 })))
        .map((endpoints) => stringifySafely({ endpoints })),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const { endpoints, problems } = parseEndpointsFile(text, 'f');
        expect(endpoints === undefined).toBe(problems.length > 0);
        for (const { code, where, fix } of problems) {
          expect(code).toMatch(/^AIG5\d\d$/);
          expect(where).toMatch(/^f:\d+:\d+$/);
          expect(fix).not.toBe('');
        }
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test('metric specs are read or refused, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ':', '{', '}', '=', ',', '"', ' ', '1'), maxLength: 20 }), (text) => {
        const spec = parseMetricSpec(text);
        if (spec !== undefined) expect(text.trim().startsWith(spec.name)).toBe(true);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });
});

function stringifySafely(value: unknown): string {
  try {
    return stringify(value);
  } catch {
    return String(value);
  }
}
