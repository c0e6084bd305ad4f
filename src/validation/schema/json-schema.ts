import type { JsonObject, SchemaNode } from './schema-node';

const COPIED = [
  'enum',
  'minLength',
  'maxLength',
  'multipleOf',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'pattern',
  'format',
] as const;

/** Whether a node is an object with fields of its own, whose JSON Schema is apart from that of the node around it. */
export function isApart(node: SchemaNode): boolean {
  return node.properties !== undefined;
}

/**
 * The JSON Schema (draft 7) that says of a value what the structural schema says, without what the other walks check: unknown fields,
 * duplicate list entries and rules. Of a node that is apart it says what `apart` gives: nothing, if not told otherwise.
 */
export function toJsonSchema(node: SchemaNode, apart: (node: SchemaNode) => JsonObject = () => ({})): JsonObject {
  const convert = (child: SchemaNode): JsonObject => (isApart(child) ? apart(child) : toJsonSchema(child, apart));
  const schema: JsonObject = {};
  const type = jsonType(node);
  if (type !== undefined) schema['type'] = type;
  for (const keyword of COPIED) if (node[keyword] !== undefined) schema[keyword] = node[keyword];
  Object.assign(schema, bounds(node));
  if (node.properties !== undefined) {
    schema['properties'] = Object.fromEntries(
      Object.entries(node.properties).map(([name, property]) => [name, convert(property)]),
    );
  }
  if (typeof node.additionalProperties === 'object') schema['additionalProperties'] = convert(node.additionalProperties);
  if (node.items !== undefined) schema['items'] = convert(node.items);
  // Branches are no places of their own: they say more of this one.
  const whole = (branch: SchemaNode): JsonObject => toJsonSchema(branch, whole);
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    if (node[keyword] !== undefined) schema[keyword] = node[keyword].map(whole);
  }
  if (node.not !== undefined) schema['not'] = whole(node.not);
  return schema;
}

// Every integer has the range of its Go type; without a format that is int64, whose largest double below 2^63 is given here.
const INTEGER_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1024],
};

// In OpenAPI 3.0, which structural schemas follow, the exclusive bounds are flags of the bounds.
function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, type, format, ...node }: SchemaNode): JsonObject {
  const isInteger = type === 'integer' || node['x-kubernetes-int-or-string'] === true;
  const [lowest, highest] = isInteger ? (INTEGER_RANGES[format ?? 'int64'] ?? INTEGER_RANGES['int64']!) : [-Infinity, Infinity];
  const result: JsonObject = {};
  if (minimum !== undefined && minimum >= lowest) result[exclusiveMinimum === true ? 'exclusiveMinimum' : 'minimum'] = minimum;
  else if (isInteger) result['minimum'] = lowest;
  if (maximum !== undefined && maximum <= highest) result[exclusiveMaximum === true ? 'exclusiveMaximum' : 'maximum'] = maximum;
  else if (isInteger) result['maximum'] = highest;
  return result;
}

function jsonType(node: SchemaNode): string[] | string | undefined {
  const types = node['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : node.type === undefined ? [] : [node.type];
  if (types.length === 0) return undefined;
  return node.nullable === true ? [...types, 'null'] : types.length === 1 ? types[0] : types;
}
