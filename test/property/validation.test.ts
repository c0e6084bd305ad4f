import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { formatFinding, readManifests, validateManifests } from '../../src/validation';

const FIXTURES = path.join(__dirname, '..', 'fixtures', 'admission');
const documents = readdirSync(FIXTURES).flatMap((file) => readFileSync(path.join(FIXTURES, file), 'utf8').split(/^---$/m));

/** Nothing that is given throws, and every finding can be told. */
function survives(text: string): void {
  const { documents: read, findings } = readManifests(text, 'x.yaml');
  for (const finding of [...findings, ...validateManifests(read)]) {
    expect(finding.code).toMatch(/^AIG[0-3]\d\d$/);
    expect(formatFinding(finding)).toContain(finding.code);
  }
}

describe('validation of anything', () => {
  it('never throws on text', () => {
    const fragment = fc.constantFrom(
      'apiVersion: v1',
      'kind: List',
      'items:',
      '- ',
      '  ',
      '\n',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '<<: *a',
      '!!x',
      '|',
      '"',
      ':',
      '---\n',
      '? ',
      '\t',
      '#',
    );
    fc.assert(fc.property(fc.string({ unit: fc.oneof(fragment, fc.string({ maxLength: 3 })), maxLength: 30 }), survives), {
      numRuns: 300,
    });
  });

  it('never throws on a manifest in which text was cut, repeated or replaced', () => {
    const edit = fc.record({
      document: fc.constantFrom(...documents),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(40),
      insert: fc.oneof(
        fc.constant(''),
        fc.string({ maxLength: 10 }),
        fc.constantFrom('null', '[]', '{}', '-1', '"x"', '1e99', '- - -', '{a: [1]}'),
      ),
    });
    const edited = edit.map(({ document, from, length, insert }) => {
      const at = Math.floor(from * document.length);
      return document.slice(0, at) + insert + document.slice(at + length);
    });
    fc.assert(fc.property(edited, survives), { numRuns: 400 });
  }, 30_000);

  it('never throws on a value, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true }),
        (value) => {
          for (const finding of validateManifests([{ value }])) expect(formatFinding(finding)).toContain('AIG0');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never throws on a known kind with anything in it', () => {
    const kinds = fc.constantFrom(
      ...documents.map((text) => ({ apiVersion: /^apiVersion: (.*)$/m.exec(text)![1]!, kind: /^kind: (.*)$/m.exec(text)![1]! })),
    );
    fc.assert(
      fc.property(kinds, fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (kind, metadata, spec) => {
        expect(() => validateManifests([{ value: { ...kind, metadata, spec, data: spec, status: spec } }])).not.toThrow();
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
