import type { FieldPath } from './field-path';
import { childNode, isJsonObject, type SchemaNode } from './schema-node';

export interface DuplicateItem {
  readonly path: FieldPath;
  /** The item of a set, or the key fields of an item of a map. */
  readonly value: unknown;
  /** Empty for a set. */
  readonly keys: readonly string[];
  readonly firstIndex: number;
  /** The schema of the list. */
  readonly list: SchemaNode;
}

/** Items of `x-kubernetes-list-type: set` that occur twice, and of `map` whose key fields do; run after defaults, which may be keys. */
export function findDuplicateItems(root: unknown, schema: SchemaNode): DuplicateItem[] {
  const found: DuplicateItem[] = [];
  walk(root, schema, [], found);
  return found;
}

/** The item of `list` that `item` is by its keys; undefined where the list is no map, so that no item is known again. */
export function sameItem(list: unknown, item: unknown, node: SchemaNode): unknown {
  if (!Array.isArray(list) || node['x-kubernetes-list-type'] !== 'map') return undefined;
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  const identity = canonical(keyFields(item, keys));
  return list.find((other) => canonical(keyFields(other, keys)) === identity);
}

function walk(value: unknown, node: SchemaNode, path: FieldPath, found: DuplicateItem[]): void {
  if (Array.isArray(value)) {
    checkList(value, node, path, found);
    if (node.items === undefined) return;
    for (let index = 0; index < value.length; index++) walk(value[index], node.items, [...path, index], found);
  } else if (isJsonObject(value)) {
    for (const [key, entry] of Object.entries(value)) {
      const child = childNode(node, key);
      if (child !== undefined) walk(entry, child, [...path, key], found);
    }
  }
}

function checkList(items: readonly unknown[], node: SchemaNode, path: FieldPath, found: DuplicateItem[]): void {
  const listType = node['x-kubernetes-list-type'];
  if (listType !== 'set' && listType !== 'map') return;
  const keys = listType === 'map' ? (node['x-kubernetes-list-map-keys'] ?? []) : [];
  const firstIndexOf = new Map<string, number>();
  items.forEach((item, index) => {
    const identity = listType === 'set' ? item : keyFields(item, keys);
    if (identity === undefined) return;
    const text = canonical(identity);
    const firstIndex = firstIndexOf.get(text);
    if (firstIndex === undefined) firstIndexOf.set(text, index);
    else found.push({ path: [...path, index], value: identity, keys, firstIndex, list: node });
  });
}

// An item that is no object is a type error, which is reported as such.
function keyFields(item: unknown, keys: readonly string[]): Record<string, unknown> | undefined {
  if (!isJsonObject(item)) return undefined;
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(item, key) ? [[key, item[key]]] : [])));
}

/** Equal for equal JSON values, whatever the order of keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${entries.join()}}`;
}
