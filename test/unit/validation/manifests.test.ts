import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expandList, notJson, readManifestFile, readManifests } from '../../../src/validation/manifests';

describe('reading manifests', () => {
  it('gives every document, without empty ones, of YAML and of JSON', () => {
    expect(readManifests('a: 1\n---\n# nothing\n---\nb: 2\n...\n').documents.map(({ value }) => value)).toEqual([
      { a: 1 },
      { b: 2 },
    ]);
    expect(readManifests('{"a": [1, null]}').documents.map(({ value }) => value)).toEqual([{ a: [1, null] }]);
    expect(readManifests('')).toEqual({ documents: [], findings: [] });
  });

  it('reads scalars as Kubernetes tools do', () => {
    const [document] = readManifests('[yes, n, 0644, 0o17, -0o7, 1:30, 2026-01-02, !!binary YQ==, 1_000, ~]').documents;
    expect(document!.value).toEqual([true, false, 420, 15, -7, '1:30', '2026-01-02', 'YQ==', 1000, null]);
  });

  it('knows where each field stands, and the nearest parent of one that is missing', () => {
    const { documents } = readManifests('a:\n  - b: 1\n    c: {d: 2}\n---\ne: 3\n');
    expect(documents[0]!.locate!(['a', 0, 'c', 'd'])).toEqual({ line: 3, column: 9 });
    expect(documents[0]!.locate!(['a', 0, 'x', 'y'])).toEqual({ line: 2, column: 5 });
    expect(documents[0]!.locate!([])).toEqual({ line: 1, column: 1 });
    expect(documents[1]!.locate!(['e'])).toEqual({ line: 5, column: 1 });
  });

  it.each<[string, string, RegExp, number]>([
    ['a bad indent', 'a: 1\n  b: 2\n', /cannot be parsed/, 1],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', /keys must be unique/, 3],
    ['an unclosed bracket', 'a: [1, 2\n', /cannot be parsed/, 2],
    ['a tab', 'a:\n\tb: 1\n', /cannot be parsed/, 2],
  ])('tells %s with its place', (_, text, what, line) => {
    const { documents, findings } = readManifests(text, 'x.yaml');
    expect(documents).toEqual([]);
    expect(findings[0]).toMatchObject({
      code: 'AIG001',
      severity: 'error',
      file: 'x.yaml',
      line,
      what: expect.stringMatching(what),
    });
    expect(findings[0]!.where).toMatch(new RegExp(`^x\\.yaml:${line}:\\d+$`));
  });

  it('reads on after a document that is broken', () => {
    const { documents, findings } = readManifests('a: [\n---\nb: 1\n');
    expect(findings).toHaveLength(1);
    expect(documents.map(({ value }) => value)).toEqual([{ b: 1 }]);
  });

  it('does not blow up on aliases that multiply', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `${'a'.repeat(i + 1)}: &${'a'.repeat(i + 1)} [${Array(10)
          .fill(`*${'a'.repeat(i)}`)
          .join(', ')}]`,
      );
    const { findings } = readManifests(lines.join('\n'));
    expect(findings[0]).toMatchObject({ code: 'AIG001' });
  });

  it('does not blow up on brackets without end', () => {
    expect(readManifests(`a: ${'['.repeat(100_000)}`).findings).not.toEqual([]);
  });

  // A stack that overflows inside a regular expression ends the process, so that nothing may come near it.
  it.each([
    ['lists in brackets', `a: ${'['.repeat(300)}${']'.repeat(300)}`],
    ['maps in braces', `${'{a: '.repeat(300)}1${'}'.repeat(300)}`],
    ['lists in a line', `${'- '.repeat(300)}a`],
    ['maps in a column', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('tells %s nested too deep, and reads on', (_, text) => {
    const { documents, findings } = readManifests(`---\na: 1\n---\n${text}\n---\nb: 2\n`, 'x.yaml');
    expect(findings).toMatchObject([{ code: 'AIG001', what: 'x.yaml cannot be parsed: is nested deeper than 200 levels' }]);
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('reads what is nested as deep as a program may have it', () => {
    const text = `${'{a: '.repeat(190)}1${'}'.repeat(190)}`;
    expect(readManifests(text)).toMatchObject({ findings: [], documents: [{}] });
  });

  it('tells a file that cannot be read', () => {
    expect(readManifestFile('/does/not/exist.yaml').findings[0]).toMatchObject({
      code: 'AIG001',
      what: expect.stringMatching(/cannot be read.*ENOENT/),
    });
  });

  it('reads a file', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'manifests-'));
    const file = path.join(folder, 'a.yaml');
    writeFileSync(file, 'a: 1\n');
    expect(readManifestFile(file).documents).toMatchObject([{ value: { a: 1 }, file }]);
    rmSync(folder, { recursive: true });
  });
});

describe('a List', () => {
  it('is its items, each at its place', () => {
    const { documents } = readManifests('apiVersion: v1\nkind: List\nitems:\n  - a: 1\n  - b: 2\n', 'x.yaml');
    const items = expandList(documents[0]!);
    expect(items.map(({ value, file }) => [value, file])).toEqual([
      [{ a: 1 }, 'x.yaml'],
      [{ b: 2 }, 'x.yaml'],
    ]);
    expect(items[1]!.locate!(['b'])).toEqual({ line: 5, column: 5 });
  });
});

describe('a value that JSON cannot hold', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  it.each<[string, unknown, RegExp]>([
    ['a number without end', { a: [Number.NaN] }, /NaN/],
    ['a function', { a: () => 1 }, /function/],
    ['undefined', [undefined], /undefined/],
    ['a bigint', { a: 1n }, /bigint/],
    ['a class instance', { a: new Date(0) }, /Date/],
    ['a circle', cyclic, /nested deeper/],
  ])('is told: %s', (_, value, reason) => {
    expect(notJson(value)).toMatch(reason);
  });

  it('is not one of another realm, or without a prototype', () => {
    expect(notJson(structuredClone({ a: [{ b: null }] }))).toBeUndefined();
    expect(notJson(Object.create(null))).toBeUndefined();
  });
});
