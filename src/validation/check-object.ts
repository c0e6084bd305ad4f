import type { FieldProblem } from './findings';
import { nearest } from './nearest';
import { checkMetadata } from './object-meta';
import { schemaErrors } from './schema/compile';
import { withDefaults } from './schema/defaults';
import { formatFieldPath, startsWith } from './schema/field-path';
import { findDuplicateItems } from './schema/list-duplicates';
import type { KindSchema } from './schema/registry';
import { isJsonObject, type JsonObject, type SchemaNode } from './schema/schema-node';
import { describeSchemaErrors } from './schema/schema-problems';
import { findUnknownFields } from './schema/unknown-fields';

/**
 * Checks one object as an API server does on create with `fieldValidation=Strict`: unknown fields in what was written; then defaults;
 * then values, lists, metadata and rules. The server stops at the first of these steps that fails, this reports all. With `old`, the
 * object as it is in the cluster, also what it refuses of the update.
 */
export function checkObject(object: JsonObject, kind: KindSchema, old?: JsonObject): FieldProblem[] {
  const unknown = findUnknownFields(object, kind.schema).map(({ path, known }): FieldProblem => {
    const key = String(path.at(-1));
    const near = nearest(key, known);
    return {
      path,
      problem: {
        code: 'AIG010',
        what: `${formatFieldPath(path)} is not a field of ${kind.kind} in ${kind.group === '' ? '' : `${kind.group}/`}${kind.version} (${kind.source})`,
        ...(known.length === 0 ? {} : { allowed: known.slice(0, 30).join(', ') + (known.length > 30 ? ', …' : '') }),
        fix: near === undefined ? 'remove it' : `did you mean '${near}'?`,
      },
    };
  });
  const stored = withDefaults(object, kind.schema) as JsonObject;
  const before = old === undefined ? undefined : (withDefaults(old, kind.schema) as JsonObject);
  // Written by controllers, at a place of its own: an update keeps what was there.
  if (kind.hasStatusSubresource) {
    delete stored['status'];
    if (before?.['status'] !== undefined) stored['status'] = before['status'];
  }
  const values = describeSchemaErrors(schemaErrors(kind.schema, stored), stored);
  const duplicates = findDuplicateItems(stored, kind.schema).map(
    ({ path, value, keys, firstIndex, list: schema }): FieldProblem => {
      const list = formatFieldPath(path.slice(0, -1));
      const what = keys.length === 0 ? 'repeats' : `has the same ${keys.join(' and ')} as`;
      return {
        path,
        severity: kind.isBuiltIn && isTolerated(schema) ? 'warning' : 'error',
        problem: {
          code: 'AIG016',
          what: `${formatFieldPath(path)} ${what} ${list}[${firstIndex}]`,
          value,
          fix: 'remove one of them, or make them differ',
        },
      };
    },
  );
  const metadata = isJsonObject(stored['metadata'])
    ? checkMetadata(stored, kind.nameRule, kind.scope)
    : missingMetadata(stored, kind);
  const failed = values.map(({ path }) => path);
  const rules = kind.isBuiltIn ? [] : cel().checkRules(stored, kind.schema, failed, before);
  // Inside a value of a wrong type no field is known, and its type is what is wrong.
  const mistyped = values.filter(({ problem }) => problem.code === 'AIG011').map(({ path }) => path);
  const strange = unknown.filter(({ path }) => !mistyped.some((other) => startsWith(path, other)));
  return [...strange, ...values, ...duplicates, ...metadata, ...rules];
}

// Built-in kinds have no rules, and the evaluator takes longer to load than such an object to check.
function cel(): typeof import('./cel/check-rules') {
  return require('./cel/check-rules') as typeof import('./cel/check-rules');
}

// Metadata of a wrong type is the schema's finding; without any, the name is missing.
function missingMetadata(object: JsonObject, kind: KindSchema): FieldProblem[] {
  return object['metadata'] === undefined ? checkMetadata(object, kind.nameRule, kind.scope) : [];
}

// Of built-in kinds the list types rule merging; a create that repeats a plain value, a variable or a container port is accepted.
function isTolerated(list: SchemaNode): boolean {
  return list['x-kubernetes-list-type'] === 'set' || /\.(?:EnvVar|ContainerPort)$/.test(list.items?.definition ?? '');
}
