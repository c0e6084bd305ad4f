import type { FieldProblem } from './findings';
import { isLabelValue, isQualifiedName, LABEL_KEY_FORM, LABEL_VALUE_FORM, NAME_FORMS, type NameRule } from './names';
import { type FieldPath, formatFieldPath } from './schema/field-path';
import { isJsonObject, type JsonObject } from './schema/schema-node';

const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** What an API server asks of `metadata` beyond the types of its fields; values of a wrong type are left to the schema. */
export function checkMetadata(object: JsonObject, nameRule: NameRule, scope: 'Namespaced' | 'Cluster'): FieldProblem[] {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return [
    ...checkName(metadata, nameRule),
    ...checkNamespace(metadata, scope),
    ...checkLabels(metadata['labels']),
    ...checkAnnotations(metadata['annotations']),
    ...checkFinalizers(metadata['finalizers']),
  ];
}

function checkName(metadata: JsonObject, rule: NameRule): FieldProblem[] {
  const { allowed, accepts } = NAME_FORMS[rule];
  const { name, generateName } = metadata;
  const problems: FieldProblem[] = [];
  if (!isPresent(name) && !isPresent(generateName)) {
    problems.push(at(['metadata', 'name'], 'AIG020', 'is missing', { fix: 'give the object a name', allowed }));
  }
  if (typeof name === 'string' && name !== '' && !accepts(name)) {
    problems.push(
      at(['metadata', 'name'], 'AIG020', 'is not a name of this kind', { value: name, allowed, fix: 'choose another name' }),
    );
  }
  // The server adds random letters and digits, so a prefix may end with what a name may not end with.
  if (typeof generateName === 'string' && generateName !== '' && !accepts(generateName.replace(/-$/, 'a'))) {
    const path = ['metadata', 'generateName'];
    problems.push(
      at(path, 'AIG020', 'is not a beginning of a name of this kind', {
        value: generateName,
        allowed,
        fix: 'choose another prefix',
      }),
    );
  }
  return problems;
}

function checkNamespace(metadata: JsonObject, scope: 'Namespaced' | 'Cluster'): FieldProblem[] {
  const namespace = metadata['namespace'];
  const path = ['metadata', 'namespace'];
  if (typeof namespace !== 'string' || namespace === '') return [];
  if (scope === 'Cluster') {
    return [at(path, 'AIG023', 'is set on a kind that has no namespace', { value: namespace, fix: 'remove it' })];
  }
  const { allowed, accepts } = NAME_FORMS['dns-label'];
  return accepts(namespace)
    ? []
    : [at(path, 'AIG023', 'is not a name of a namespace', { value: namespace, allowed, fix: 'choose another namespace' })];
}

function checkLabels(labels: unknown): FieldProblem[] {
  return stringEntries(labels).flatMap(([key, value]) => {
    const path = ['metadata', 'labels', key];
    const problems: FieldProblem[] = [];
    if (!isQualifiedName(key)) {
      problems.push(at(path, 'AIG021', 'is not a label key', { value: key, allowed: LABEL_KEY_FORM, fix: 'choose another key' }));
    }
    if (!isLabelValue(value)) {
      const fix = 'choose another value, or make it an annotation';
      problems.push(at(path, 'AIG021', 'is not a label value', { value, allowed: LABEL_VALUE_FORM, fix }));
    }
    return problems;
  });
}

function checkAnnotations(annotations: unknown): FieldProblem[] {
  const entries = stringEntries(annotations);
  const problems = entries.flatMap(([key]) =>
    // Case does not matter in the prefix of an annotation.
    isQualifiedName(key.toLowerCase())
      ? []
      : [
          at(['metadata', 'annotations', key], 'AIG022', 'is not an annotation key', {
            value: key,
            allowed: LABEL_KEY_FORM,
            fix: 'choose another key',
          }),
        ],
  );
  const sizeBytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (sizeBytes > MAX_ANNOTATIONS_BYTES) {
    problems.push(
      at(['metadata', 'annotations'], 'AIG022', 'are too large together', {
        value: `${sizeBytes} bytes`,
        allowed: `at most ${MAX_ANNOTATIONS_BYTES} bytes of keys and values`,
        fix: 'move the data into a ConfigMap',
      }),
    );
  }
  return problems;
}

function checkFinalizers(finalizers: unknown): FieldProblem[] {
  if (!Array.isArray(finalizers)) return [];
  return finalizers.flatMap((finalizer: unknown, index) =>
    typeof finalizer !== 'string' || isQualifiedName(finalizer)
      ? []
      : [
          at(['metadata', 'finalizers', index], 'AIG023', 'is not a finalizer', {
            value: finalizer,
            allowed: LABEL_KEY_FORM,
            fix: 'choose another name',
          }),
        ],
  );
}

const isPresent = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

function stringEntries(map: unknown): [string, string][] {
  return isJsonObject(map) ? Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string') : [];
}

function at(
  path: FieldPath,
  code: string,
  complaint: string,
  rest: { value?: unknown; allowed?: string; fix: string },
): FieldProblem {
  return { path, problem: { code, what: `${formatFieldPath(path)} ${complaint}`, ...rest } };
}
