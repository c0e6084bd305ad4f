import { withDefaults } from '../../../../src/validation/schema/defaults';
import { formatFieldPath, parseJsonPointer } from '../../../../src/validation/schema/field-path';
import { findDuplicateItems } from '../../../../src/validation/schema/list-duplicates';
import { asResource } from '../../../../src/validation/schema/resource-schema';
import type { SchemaNode } from '../../../../src/validation/schema/schema-node';
import { findUnknownFields } from '../../../../src/validation/schema/unknown-fields';

const text: SchemaNode = { type: 'string' };
const object = (properties: Record<string, SchemaNode>, rest: SchemaNode = {}): SchemaNode => ({
  type: 'object',
  properties,
  ...rest,
});

describe('unknown fields', () => {
  const paths = (value: unknown, schema: SchemaNode): string[] =>
    findUnknownFields(value, schema).map(({ path }) => formatFieldPath(path));

  it.each<[string, unknown, SchemaNode, string[]]>([
    ['are found at every depth', { a: { x: 1 }, y: 2 }, object({ a: object({ b: text }) }), ['a.x', 'y']],
    [
      'are found in list items and map values',
      { l: [{ x: 1 }], m: { k: { x: 1 } } },
      object({ l: { type: 'array', items: object({}) }, m: { type: 'object', additionalProperties: object({}) } }),
      ['l[0].x', 'm.k.x'],
    ],
    ['are told once, not again below', { x: { y: { z: 1 } } }, object({}), ['x']],
    [
      'may be anything where the schema preserves them',
      { x: { y: 1 } },
      object({}, { 'x-kubernetes-preserve-unknown-fields': true }),
      [],
    ],
    [
      'are still found in a known field of an object that preserves others',
      { a: { x: 1 }, y: 1 },
      object({ a: object({}) }, { 'x-kubernetes-preserve-unknown-fields': true }),
      ['a.x'],
    ],
    ['are found even when null', { x: null }, object({}), ['x']],
    ['may have the names of inherited ones', { constructor: 1, toString: 2 }, object({ a: text }), ['constructor', 'toString']],
  ])('%s', (_, value, schema, expected) => {
    expect(paths(value, schema)).toEqual(expected);
  });
});

describe('defaults', () => {
  it.each<[string, unknown, SchemaNode, unknown]>([
    ['are filled in', {}, object({ a: { ...text, default: 'x' } }), { a: 'x' }],
    ['do not make their parents', {}, object({ a: object({ b: { ...text, default: 'x' } }) }), {}],
    [
      'are filled into a default',
      {},
      object({ a: object({ b: { ...text, default: 'x' } }, { default: {} }) }),
      { a: { b: 'x' } },
    ],
    [
      'are filled into items and values of maps',
      { l: [{}], m: { k: {} } },
      object({
        l: { items: object({ a: { ...text, default: 1 } }) },
        m: { additionalProperties: object({ b: { ...text, default: 2 } }) },
      }),
      { l: [{ a: 1 }], m: { k: { b: 2 } } },
    ],
    ['replace a null that is not allowed', { a: null }, object({ a: { ...text, default: 'x' } }), { a: 'x' }],
    ['leave a null that is allowed', { a: null }, object({ a: { ...text, nullable: true, default: 'x' } }), { a: null }],
    ['without one, a null that is not allowed is dropped', { a: null }, object({ a: text }), {}],
    ['leave what is unknown alone', { x: null, y: { z: 1 } }, object({}), { x: null, y: { z: 1 } }],
  ])('%s', (_, value, schema, expected) => {
    expect(withDefaults(value, schema)).toEqual(expected);
  });

  it('do not change what was given, nor the schema', () => {
    const schema = object({ a: { type: 'array', default: [{ b: 1 }] } });
    const given = Object.freeze({});
    const result = withDefaults(given, schema) as { a: { b: number }[] };
    result.a[0]!.b = 2;
    expect(withDefaults(given, schema)).toEqual({ a: [{ b: 1 }] });
  });

  it('keep a field called __proto__ as a field', () => {
    expect(Object.keys(withDefaults(JSON.parse('{"__proto__": {"a": 1}}'), object({})) as object)).toEqual(['__proto__']);
  });
});

describe('lists', () => {
  const set: SchemaNode = { type: 'array', 'x-kubernetes-list-type': 'set', items: {} };
  const map: SchemaNode = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name', 'port'],
    items: object({}),
  };
  const found = (value: unknown, schema: SchemaNode): string[] =>
    findDuplicateItems(value, schema).map(({ path, firstIndex }) => `${formatFieldPath(path)} as [${firstIndex}]`);

  it.each<[string, unknown, SchemaNode, string[]]>([
    ['that are sets repeat nothing', ['a', 'b', 'a', 'a'], set, ['[2] as [0]', '[3] as [0]']],
    [
      'that are sets compare objects by value',
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      set,
      ['[1] as [0]'],
    ],
    ['that are sets tell text from numbers', ['1', 1, true, 'true'], set, []],
    [
      'that are maps repeat no key',
      [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
        { name: 'a', port: 1, x: 1 },
      ],
      map,
      ['[2] as [0]'],
    ],
    ['that are maps count a key that is left out', [{ name: 'a' }, { name: 'a' }], map, ['[1] as [0]']],
    ['that are maps skip what is no object', ['a', 'a', null], map, []],
    ['that are atomic may repeat', ['a', 'a'], { type: 'array', 'x-kubernetes-list-type': 'atomic', items: {} }, []],
    [
      'are found inside of objects and lists',
      { l: [{ s: ['a', 'a'] }] },
      object({ l: { items: object({ s: set }) } }),
      ['l[0].s[1] as [0]'],
    ],
  ])('%s', (_, value, schema, expected) => {
    expect(found(value, schema)).toEqual(expected);
  });
});

describe('a field path', () => {
  it.each<[(string | number)[], string]>([
    [[], '(root)'],
    [['spec', 'rules', 0, 'name'], 'spec.rules[0].name'],
    [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels[app.kubernetes.io/name]'],
  ])('%j is written %s', (path, expected) => {
    expect(formatFieldPath(path)).toBe(expected);
  });

  it('is read from a JSON pointer, with numbers for lists only', () => {
    expect(parseJsonPointer('/a/0/b~1c/1', { a: [{ 'b/c': { 1: 'x' } }] })).toEqual(['a', 0, 'b/c', '1']);
  });
});

describe('the schema of a resource', () => {
  const objectMeta = object({ name: text, labels: { type: 'object', additionalProperties: text } });
  const name: SchemaNode = { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } };
  const embedded: SchemaNode = { ...object({ spec: text }), 'x-kubernetes-embedded-resource': true };
  const schema = asResource(
    object({ metadata: name, spec: object({ template: embedded, list: { items: embedded } }) }),
    objectMeta,
  );

  it('knows apiVersion, kind and the fields of metadata, at the root and in embedded resources', () => {
    const resource = { apiVersion: 'v1', kind: 'A', metadata: { name: 'a', labels: {} } };
    expect(findUnknownFields({ ...resource, spec: { template: { ...resource, spec: 'x' }, list: [resource] } }, schema)).toEqual(
      [],
    );
    const wrong = { ...resource, metadata: { lables: {} }, x: 1 };
    expect(findUnknownFields({ ...wrong, spec: { template: wrong } }, schema).map(({ path }) => formatFieldPath(path))).toEqual([
      'metadata.lables',
      'x',
      'spec.template.metadata.lables',
      'spec.template.x',
    ]);
  });

  it('asks for apiVersion and kind, and keeps what the definition says of metadata', () => {
    expect(schema.required).toEqual(['apiVersion', 'kind']);
    expect(schema.properties!['spec']!.properties!['template']!.required).toEqual(['apiVersion', 'kind']);
    expect(schema.properties!['metadata']!.allOf).toEqual([name]);
    expect(schema.properties!['spec']!.required).toBeUndefined();
  });
});
