import { type CelInput, CelScalar, celEnv, celList, celMap, isCelError, parse, plan } from '@bufbuild/cel';
import { parseDurationNanos } from '../schema/duration';
import { isJsonObject, type JsonObject, type SchemaNode } from '../schema/schema-node';

const KEYWORDS = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if'],
  ...['import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
]);

/**
 * The value as CEL sees it through its schema: numbers by type, dates and durations parsed, only fields that the schema names, their
 * names escaped. Undefined: rules cannot see a value without a type.
 */
export function toCelValue(value: unknown, node: SchemaNode, { isRoot = false } = {}): CelInput | undefined {
  if (value === null) return null;
  if (typeof value === 'number') return isWhole(value, node) ? BigInt(value) : value;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string')
    return node['x-kubernetes-int-or-string'] === true || node.type === 'string' ? textValue(value, node.format) : undefined;
  if (Array.isArray(value)) {
    return node.items === undefined ? undefined : celList(value.map((item) => toCelValue(item, node.items!) ?? null));
  }
  if (!isJsonObject(value)) return undefined;
  if (isRoot || node['x-kubernetes-embedded-resource'] === true) return celMap(resourceFields(value, node));
  if (typeof node.additionalProperties === 'object') {
    const values = node.additionalProperties;
    return celMap(new Map(Object.entries(value).map(([key, entry]) => [key, toCelValue(entry, values) ?? null])));
  }
  return node.type === 'object' ? celMap(fields(value, node)) : undefined;
}

/** `namespace` → `__namespace__`, `a-b` → `a__dash__b`; undefined: a name that CEL cannot say. */
export function escapeFieldName(name: string): string | undefined {
  if (KEYWORDS.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

// Of metadata, rules see the names only.
function resourceFields(value: JsonObject, node: SchemaNode): Map<string, CelInput> {
  const { metadata, ...rest } = value;
  const known = fields(rest, node);
  for (const field of ['apiVersion', 'kind'] as const) if (typeof value[field] === 'string') known.set(field, value[field]);
  const names = isJsonObject(metadata)
    ? (['name', 'generateName'] as const).filter((field) => typeof metadata[field] === 'string')
    : [];
  known.set('metadata', celMap(new Map(names.map((field) => [field, (metadata as JsonObject)[field] as string]))));
  return known;
}

function fields(value: JsonObject, node: SchemaNode): Map<string, CelInput> {
  const known = new Map<string, CelInput>();
  for (const [key, entry] of Object.entries(value)) {
    const property = node.properties !== undefined && Object.hasOwn(node.properties, key) ? node.properties[key] : undefined;
    const name = escapeFieldName(key);
    const seen = property === undefined ? undefined : toCelValue(entry, property);
    if (name !== undefined && seen !== undefined) known.set(name, seen);
  }
  return known;
}

function isWhole(value: number, node: SchemaNode): boolean {
  return Number.isInteger(value) && (node.type === 'integer' || node['x-kubernetes-int-or-string'] === true);
}

// CEL's own conversions make the values of types that JavaScript lacks; a text that they refuse is the format's finding.
const toTimestamp = conversion('timestamp(text)');
const toDuration = conversion('duration(text)');

function conversion(expression: string): (text: string) => CelInput {
  const convert = plan(celEnv({ variables: { text: CelScalar.STRING } }), parse(expression));
  return (text) => {
    const result = convert({ text });
    return isCelError(result) ? text : result;
  };
}

function textValue(text: string, format: string | undefined): CelInput {
  if (format === 'byte') return new Uint8Array(Buffer.from(text, 'base64'));
  if (format === 'date') return toTimestamp(`${text}T00:00:00Z`);
  if (format === 'date-time') return toTimestamp(text);
  return format === 'duration' ? toDuration(`${parseDurationNanos(text) ?? 0}ns`) : text;
}
