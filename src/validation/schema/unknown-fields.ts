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
  const isOpen = node['x-kubernetes-preserve-unknown-fields'] === true || node.additionalProperties === true;
  if (Array.isArray(value)) {
    // In a list where none is meant, nothing is known: in `status`, which is dropped before types are checked, it is all that is said.
    const items = node.items ?? (isOpen ? undefined : {});
    if (items === undefined) return;
    for (let index = 0; index < value.length; index++) walk(value[index], items, [...path, index], found);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [key, entry] of Object.entries(value)) {
    const child = childNode(node, key);
    if (child !== undefined) walk(entry, child, [...path, key], found);
    else if (!isOpen) found.push({ path: [...path, key], known: Object.keys(node.properties ?? {}) });
  }
}
