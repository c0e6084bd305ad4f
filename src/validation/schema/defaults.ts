import { childNode, isJsonObject, type JsonObject, type SchemaNode } from './schema-node';

/**
 * A copy of `value` as an API server sees it before validation: nulls that the schema does not allow are dropped, then defaults are
 * filled in (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable).
 */
export function withDefaults(value: unknown, node: SchemaNode | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withDefaults(orDefault(item, node?.items), node?.items));
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, entry] of Object.entries(value)) {
    const child = node === undefined ? undefined : childNode(node, key);
    const kept = orDefault(entry, child);
    if (kept === null && isRefusedNull(node, key)) continue;
    define(result, key, withDefaults(kept, child));
  }
  for (const [key, property] of Object.entries(node?.properties ?? {})) {
    if (property.default !== undefined && !Object.hasOwn(result, key)) {
      define(result, key, withDefaults(property.default, property));
    }
  }
  return result;
}

function orDefault(value: unknown, node: SchemaNode | undefined): unknown {
  if (value !== null || node === undefined || node.nullable === true || node.default === undefined) return value;
  return node.default;
}

function isRefusedNull(node: SchemaNode | undefined, key: string): boolean {
  const child = node === undefined ? undefined : childNode(node, key);
  return child !== undefined && child.nullable !== true;
}

// A manifest may have a key `__proto__`.
function define(target: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
