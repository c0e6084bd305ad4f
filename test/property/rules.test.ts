import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { FORMATTERS } from '../../src/cli/validate/formats';
import { applyMends } from '../../src/cli/validate/mends';
import { formatFinding, readManifestFile, readManifests, validateManifests } from '../../src/validation';
import { RULES } from '../../src/validation/rules';

const ROOT = path.join(__dirname, '../..');
const pages = readdirSync(path.join(ROOT, 'docs/rules'))
  .filter((file) => file.startsWith('AIG'))
  .flatMap((file) =>
    [...readFileSync(path.join(ROOT, 'docs/rules', file), 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml!),
  );

type Json = { [key: string]: unknown };

/** Replaces one value somewhere inside. */
function replaced(value: unknown, choose: number, by: unknown): unknown {
  const places: (readonly [Json, string])[] = [];
  const copy = structuredClone(value);
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Json, key]);
      walk((node as Json)[key]);
    }
  };
  walk(copy);
  const place = places[choose % Math.max(1, places.length)];
  if (place !== undefined) place[0][place[1]] = by;
  return copy;
}

describe('rules', () => {
  const sets = pages.map((yaml) => readManifests(yaml).documents.map(({ value }) => value));

  it('never throw, whatever stands in a field', () => {
    const by = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, [], {}, [null], -1, '', 'constructor', '__proto__'));
    fc.assert(
      fc.property(fc.constantFrom(...sets), fc.array(fc.tuple(fc.nat(200), by), { minLength: 1, maxLength: 4 }), (set, edits) => {
        let objects: unknown = set;
        for (const [choose, value] of edits) objects = replaced(objects, choose, value);
        if (!Array.isArray(objects)) return;
        const documents = objects.map((value: unknown) => ({ value }));
        for (const finding of validateManifests(documents, { rules: RULES.map(({ code }) => code) })) {
          expect(formatFinding(finding)).toMatch(/AIG\d{3} /);
        }
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);

  it('never throw for kinds with anything in them', () => {
    const kinds = fc.constantFrom(
      ...sets.flat().map((value) => ({ apiVersion: (value as Json)['apiVersion'], kind: (value as Json)['kind'] })),
    );
    const object = fc.tuple(kinds, fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(fc.array(object, { maxLength: 4 }), (objects) => {
        const documents = objects.map(([kind, metadata, spec]) => ({
          value: { ...kind, metadata, spec, data: spec, rules: spec },
        }));
        expect(() => validateManifests(documents, { rules: RULES.map(({ code }) => code) })).not.toThrow();
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  it('give what every format can tell and every mend can mend, of text that was cut and changed', () => {
    const edit = fc.record({
      page: fc.constantFrom(...pages),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(30),
      insert: fc.oneof(
        fc.constant(''),
        fc.string({ maxLength: 8 }),
        fc.constantFrom('{{ x }}', '&a ', '*a', '<<: *a', '\t', '\u0000'),
      ),
    });
    fc.assert(
      fc.property(edit, ({ page, from, length, insert }) => {
        const at = Math.floor(from * page.length);
        const text = page.slice(0, at) + insert + page.slice(at + length);
        const { documents, findings: reading } = readManifests(text, 'x.yaml');
        const findings = [...reading, ...validateManifests(documents, { rules: RULES.map(({ code }) => code) })];
        const report = {
          findings,
          texts: new Map([['x.yaml', text]]),
          objectCount: documents.length,
          unreadable: [],
          colour: false,
        };
        for (const format of Object.values(FORMATTERS)) expect(format(report)).toMatch(/(^|\n)$/);
        expect(typeof applyMends(text, findings)).toBe('string');
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe('rules about the examples', () => {
  const files = readdirSync(path.join(ROOT, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(path.join(ROOT, 'examples', name)).map((file) => path.join(name, file)))
    .filter((file) => /expected.*\.yaml$/.test(file));

  it.each(files)('have nothing to mend in %s', (file) => {
    const { documents } = readManifestFile(path.join(ROOT, 'examples', file));
    const findings = validateManifests(documents, { rules: RULES.map(({ code }) => code) });
    expect(findings.filter(({ severity }) => severity !== 'hint').map(formatFinding)).toEqual([]);
    // The one that is about the oldest generation is about retired kinds.
    if (!file.includes('v1alpha1')) expect(findings.map(formatFinding)).toEqual([]);
  });
});
