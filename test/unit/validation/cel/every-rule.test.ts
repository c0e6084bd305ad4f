import { isCelError } from '@bufbuild/cel';
import { compileRule } from '../../../../src/validation/cel/compile';
import { toCelValue } from '../../../../src/validation/cel/values';
import { pinnedSchemas } from '../../../../src/validation/schema/packed';
import type { JsonObject, SchemaNode } from '../../../../src/validation/schema/schema-node';

/** A value in which every field is there, each of its type, whether they go together or not. */
function full(node: SchemaNode): unknown {
  if (node['x-kubernetes-int-or-string'] === true) return 1;
  if (node.enum !== undefined) return node.enum.at(-1);
  switch (node.type) {
    case 'object':
      if (node.properties !== undefined)
        return Object.fromEntries(Object.entries(node.properties).map(([name, child]) => [name, full(child)]));
      return typeof node.additionalProperties === 'object' ? { 1: full(node.additionalProperties) } : {};
    case 'array':
      return node.items === undefined ? [] : [full(node.items), full(node.items)];
    case 'string':
      return { 'date-time': '2026-01-01T00:00:00Z', duration: '10s', byte: 'YQ==' }[node.format ?? ''] ?? '10s';
    case 'integer':
    case 'number':
      return node.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return undefined;
  }
}

function* rulesWithValues(node: SchemaNode, value: unknown, isRoot: boolean): Generator<{ rule: string; result: unknown }> {
  if (value === undefined) return;
  const self = toCelValue(value, node, { isRoot });
  for (const { rule } of node['x-kubernetes-validations'] ?? []) {
    if (!/\boldSelf\b/.test(rule)) yield { rule, result: compileRule(rule)(self!) };
  }
  for (const [name, child] of Object.entries(node.properties ?? {}))
    yield* rulesWithValues(child, (value as JsonObject)[name], false);
  if (node.items !== undefined) yield* rulesWithValues(node.items, (value as unknown[])[0], false);
  if (typeof node.additionalProperties === 'object')
    yield* rulesWithValues(node.additionalProperties, (value as JsonObject)['1'], false);
}

describe('every rule of every pinned definition', () => {
  const outcomes = pinnedSchemas().crds.flatMap(({ versions }) =>
    versions.flatMap((version) => {
      const schema = version.schema();
      return [...rulesWithValues(schema, { ...(full(schema) as JsonObject), metadata: { name: 'a' } }, true)];
    }),
  );
  const errors = outcomes.flatMap(({ rule, result }) => (isCelError(result) ? [`${result.message}: ${rule}`] : []));

  it('finds its functions and operators for the types of its schema', () => {
    expect(outcomes.length).toBeGreaterThan(3000);
    expect(errors.filter((error) => /overload|unbound|unknown|not found/i.test(error))).toEqual([]);
  });

  it('is decided where values make sense to it', () => {
    const decided = outcomes.filter(({ result }) => typeof result === 'boolean').length;
    expect(decided / outcomes.length).toBeGreaterThan(0.99);
  });
});
