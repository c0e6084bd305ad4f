import type { FieldPath } from './field-path';
import { childNode, isJsonObject, type SchemaNode } from './schema-node';

export interface UnknownField {
  readonly path: FieldPath;
  /** Names that are known at this place. */
  readonly known: readonly string[];
}

/**
 * Every field that the schema does not know, as `fieldValidation=Strict` finds them (structural pruning). The first unknown field of a
 * branch is reported, not what is below it.
 */
export function findUnknownFields(root: unknown, schema: SchemaNode): UnknownField[] {
  const found: UnknownField[] = [];
  walk(root, schema, [], found);
  return found;
}

function walk(value: unknown, node: SchemaNode, path: FieldPath, found: UnknownField[]): void {
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (let index = 0; index < value.length; index++) walk(value[index], node.items, [...path, index], found);
    return;
  }
  if (!isJsonObject(value)) return;
  const isOpen = node['x-kubernetes-preserve-unknown-fields'] === true || node.additionalProperties === true;
  for (const [key, entry] of Object.entries(value)) {
    const child = childNode(node, key);
    if (child !== undefined) walk(entry, child, [...path, key], found);
    else if (!isOpen) found.push({ path: [...path, key], known: Object.keys(node.properties ?? {}) });
  }
}
