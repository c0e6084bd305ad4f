import { checkRules } from '../../../../src/validation/cel/check-rules';
import { compileRule } from '../../../../src/validation/cel/compile';
import { withoutOptionals } from '../../../../src/validation/cel/optionals';
import { parseQuantity } from '../../../../src/validation/cel/quantity';
import { fieldsNamedBy } from '../../../../src/validation/cel/rule-fields';
import { escapeFieldName } from '../../../../src/validation/cel/values';
import type { FieldPath } from '../../../../src/validation/schema/field-path';
import { pinnedSchemas } from '../../../../src/validation/schema/packed';
import type { CelRule, SchemaNode } from '../../../../src/validation/schema/schema-node';

const rule = (text: string, node: SchemaNode = {}): SchemaNode => ({ ...node, 'x-kubernetes-validations': [{ rule: text }] });

/** Places of the broken rules. A root is a resource, so values under test stand in `spec`. */
function broken(spec: unknown, node: SchemaNode, failed: FieldPath[] = []): string[] {
  const root: SchemaNode = { type: 'object', properties: { spec: node } };
  return checkRules({ spec }, root, failed).map(({ path }) => path.join('.'));
}

const int: SchemaNode = { type: 'integer' };
const text: SchemaNode = { type: 'string' };
const byName = (items: SchemaNode): SchemaNode => ({
  ...{ type: 'array', items },
  ...{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['n'] },
});
const object = (properties: Record<string, SchemaNode>): SchemaNode => ({ type: 'object', properties });

describe('a rule', () => {
  it.each<[string, SchemaNode, unknown, unknown]>([
    ['self > 3', int, 4, 3],
    ['self > 3', { type: 'number' }, 3.5, 2],
    ['self == 1 || self == "a"', { 'x-kubernetes-int-or-string': true }, 'a', 'b'],
    ['has(self.a) && self.a == 1', object({ a: int }), { a: 1 }, {}],
    ['!has(self.x)', object({}), { x: 1 }, undefined],
    ['self.all(k, self[k] > 0)', { type: 'object', additionalProperties: int }, { 'a-b': 1 }, { a: 0 }],
    [
      'self.exists_one(i, i.n == "a")',
      { type: 'array', items: object({ n: text }) },
      [{ n: 'a' }, { n: 'b' }],
      [{ n: 'a' }, { n: 'a' }],
    ],
    [
      'self.__namespace__ == "a" && self.b__dash__c == 1',
      object({ namespace: text, 'b-c': int }),
      { namespace: 'a', 'b-c': 1 },
      { namespace: 'b', 'b-c': 1 },
    ],
    ['self.matches("^(?i)a$") && matches(self, "^\\\\PC+$")', text, 'A', 'b'],
    ['quantity(self).isGreaterThan(quantity("500m"))', text, '1', '0.5'],
    ['quantity(self).isLessThan(quantity("1Gi"))', text, '1G', '1025Mi'],
    ['quantity(self) == quantity("1000m")', text, '1', '1001m'],
    [
      'isURL(self) && url(self).getScheme() in ["https"] && url(self).getHostname() == "a.example"',
      text,
      'https://u@a.example:8443/x',
      '/x',
    ],
    ['duration(self) >= duration("1ms")', text, '1h2m', '0s'],
    ['self >= duration("1s")', { type: 'string', format: 'duration' }, '1500ms', '999ms'],
    [
      'self < timestamp("2026-01-01T00:00:00Z")',
      { type: 'string', format: 'date-time' },
      '2025-01-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ],
    ['size(self) == 5', { type: 'string', format: 'byte' }, 'aGVsbG8=', 'YQ=='],
    ['self.lowerAscii().split(",").size() == 2', text, 'A,B', 'A'],
    ['self == null || self == 1', { ...int, nullable: true }, 1, 2],
  ])('%s on %j holds for %j and not for %j', (source, node, good, bad) => {
    expect(broken(good, rule(source, node))).toEqual([]);
    if (bad !== undefined) expect(broken(bad, rule(source, node))).toEqual(['spec']);
  });

  it('is told with its text, the value, and why it could not be decided', () => {
    const [problem] = checkRules(
      { spec: {} },
      { type: 'object', properties: { spec: rule('self.a\n  > 1', object({ a: int })) } },
      [],
    );
    expect(problem!.problem).toMatchObject({
      code: 'AIG030',
      allowed: 'self.a > 1',
      what: expect.stringMatching(/spec breaks a rule.*field not found: a/),
    });
  });

  it('is told at the field that it names', () => {
    const node: SchemaNode = { ...object({ a: int }), 'x-kubernetes-validations': [{ rule: 'false', fieldPath: '.a' }] };
    expect(broken({ a: 1 }, node)).toEqual(['spec.a']);
  });

  it('about changes is not run on a new object', () => {
    expect(broken(1, rule('self == oldSelf', int))).toEqual([]);
  });

  it.each<[string, SchemaNode, unknown, unknown, string[]]>([
    ['a value that was another', rule('self == oldSelf', int), 1, 2, ['spec']],
    ['a value that was the same', rule('self == oldSelf', int), 1, 1, []],
    ['a field', object({ a: rule('self >= oldSelf', int) }), { a: 2 }, { a: 1 }, ['spec.a']],
    ['a field that was not there', object({ a: rule('self == oldSelf', int) }), {}, { a: 1 }, []],
    ['an entry of a map', { type: 'object', additionalProperties: rule('self == oldSelf', int) }, { k: 1 }, { k: 2 }, ['spec.k']],
    [
      'an entry of a list that is a map, wherever it stands',
      byName(object({ n: text, v: rule('self == oldSelf', int) })),
      [
        { n: 'a', v: 1 },
        { n: 'b', v: 2 },
      ],
      [
        { n: 'b', v: 2 },
        { n: 'a', v: 3 },
        { n: 'c', v: 4 },
      ],
      ['spec.1.v'],
    ],
    ['an entry of another list, which nobody knows again', { type: 'array', items: rule('self == oldSelf', int) }, [1], [2], []],
  ])('about changes is run on %s', (_, node, before, after, places) => {
    const root: SchemaNode = { type: 'object', properties: { spec: node } };
    expect(checkRules({ spec: after }, root, [], { spec: before }).map(({ path }) => path.join('.'))).toEqual(places);
  });

  it('with an optional old value is refused loudly', () => {
    const node: SchemaNode = { ...int, 'x-kubernetes-validations': [{ rule: 'self == oldSelf', optionalOldSelf: true }] };
    expect(() => broken(1, node)).toThrow(/optionalOldSelf/);
  });

  it('is told in the words of its expression, and with the fields that it is about', () => {
    const told = (entry: CelRule): string =>
      checkRules(
        { spec: { a: 'x' } },
        { type: 'object', properties: { spec: { ...object({ a: text }), 'x-kubernetes-validations': [entry] } } },
        [],
      )[0]!.problem.what;
    expect(told({ rule: 'self.a != "x"' })).toBe('spec breaks a rule of its kind about a');
    expect(told({ rule: 'self.a != "x"', message: 'no x' })).toBe('spec breaks a rule of its kind about a, no x');
    expect(told({ rule: 'self.a != "x"', message: 'no', messageExpression: "'not %s'.format([self.a])" })).toMatch(/, not x$/);
  });

  it('is not run on a value inside which something else is wrong, but on the others', () => {
    const node = rule('false', object({ a: rule('false', int), b: rule('false', int) }));
    expect(broken({ a: 1, b: 2 }, node, [['spec', 'a']])).toEqual(['spec.b']);
    expect(broken({ a: 1, b: 2 }, node, [['spec', 'c']])).toEqual(['spec.a', 'spec.b']);
  });

  it('of the root sees the names of metadata and nothing else of it', () => {
    const root = rule(
      'self.metadata.name == "a" && !has(self.metadata.labels) && self.kind == "K"',
      object({ kind: text, metadata: object({}) }),
    );
    expect(checkRules({ kind: 'K', metadata: { name: 'a', labels: {} } }, root, [])).toEqual([]);
    expect(checkRules({ kind: 'K', metadata: { name: 'b' } }, root, [])).toHaveLength(1);
  });

  it.each([
    'self.nope(',
    'self.sum() > 1',
    'ip(self).family() == 4',
    'optional.of(self).hasValue()',
    'self.matches("a", "b")',
  ])('that cannot be run is refused loudly: %s', (source) => {
    expect(() => compileRule(source)).toThrow();
  });

  it('of every pinned definition can be run', () => {
    const rules = new Set<string>();
    const collect = (node: SchemaNode): void => {
      for (const entry of node['x-kubernetes-validations'] ?? []) rules.add(entry.rule);
      for (const child of Object.values(node.properties ?? {})) collect(child);
      if (node.items !== undefined) collect(node.items);
      if (typeof node.additionalProperties === 'object') collect(node.additionalProperties);
    };
    for (const crd of pinnedSchemas().crds) for (const version of crd.versions) collect(version.schema());
    expect(rules.size).toBeGreaterThan(600);
    for (const source of rules) compileRule(source);
  });
});

describe('optional fields', () => {
  it.each([
    ['has(self.a)', 'has(self.a)'],
    ['has(self.?a.b)', '(has(self.a) && has(self.a.b))'],
    ['!self.?a.?b.orValue(false)', '!(has(self.a) && has(self.a.b) ? self.a.b : false)'],
    ['self.matches("a.?b")', 'self.matches("a.?b")'],
  ])('%s is run as %s', (source, expected) => {
    if (source.includes('matches')) expect(() => withoutOptionals(source)).toThrow(/optional syntax/);
    else expect(withoutOptionals(source)).toBe(expected);
  });
});

describe('the fields that a rule is about', () => {
  it.each([
    ["self.group == 'a.b' || has(self.ref.port)", 'group and ref.port'],
    ['self.all(l, l.name.startsWith("x"))', 'name'],
    ['self.__namespace__ == "" && self.a__dash__b == 1', 'namespace and a-b'],
    ['!self.?a.?b.orValue(false)', 'a.b'],
    ['self.a + self.b + self.c + self.d + self.e > 0', 'a, b, c, d and others'],
    ['size(self) > 1', ''],
  ])('%s: %s', (source, fields) => {
    expect(fieldsNamedBy(source)).toBe(fields);
  });
});

describe('a quantity', () => {
  it.each<[string, bigint | undefined]>([
    ['1', 10n ** 9n],
    ['500m', 5n * 10n ** 8n],
    ['1.5Gi', 3n * 2n ** 29n * 10n ** 9n],
    ['1e3', 10n ** 12n],
    ['1E', 10n ** 27n],
    ['-2k', -2n * 10n ** 12n],
    ['.5', 5n * 10n ** 8n],
    ['0.1n', 1n],
    ['', undefined],
    ['.', undefined],
    ['1gb', undefined],
    ['1e99', undefined],
  ])('%s is %s in units of 10⁻⁹', (source, expected) => {
    expect(parseQuantity(source)).toBe(expected);
  });
});

describe('a field name in a rule', () => {
  it.each([
    ['a', 'a'],
    ['in', '__in__'],
    ['a.b-c/d', 'a__dot__b__dash__c__slash__d'],
    ['a__b', 'a__underscores__b'],
    ['1a', undefined],
    ['é', undefined],
  ])('%s is escaped as %s', (name, expected) => {
    expect(escapeFieldName(name)).toBe(expected);
  });
});
