import { isCelError } from '@bufbuild/cel';
import type { FieldProblem } from '../findings';
import { type FieldPath, formatFieldPath, startsWith } from '../schema/field-path';
import { sameItem } from '../schema/list-duplicates';
import { type CelRule, childNode, isJsonObject, type SchemaNode } from '../schema/schema-node';
import { type CompiledRule, compileRule, isAboutChange } from './compile';
import { fieldsNamedBy } from './rule-fields';
import { toCelValue } from './values';

/**
 * Every rule (`x-kubernetes-validations`) of the schema that the value breaks. A rule is not run on a value inside which another check
 * failed (`failed`), for it may ask for what is missing there. Rules about changes (`oldSelf`) are run where `old`, the object as it
 * was, has a value that is the same one: entries of lists are, by their keys, in lists of type `map` only.
 */
export function checkRules(root: unknown, schema: SchemaNode, failed: readonly FieldPath[], old?: unknown): FieldProblem[] {
  const problems: FieldProblem[] = [];
  walk({ value: root, old }, schema, [], failed, problems);
  return problems;
}

/** A value, and what it was before; undefined: it is new, or nobody knows which it was. */
interface Pair {
  readonly value: unknown;
  readonly old: unknown;
}

function walk(pair: Pair, node: SchemaNode, path: FieldPath, failed: readonly FieldPath[], problems: FieldProblem[]): void {
  const { value, old } = pair;
  const rules = node['x-kubernetes-validations'];
  if (rules !== undefined && value !== null && !failed.some((other) => startsWith(other, path))) {
    problems.push(...brokenOf(rules, pair, node, path));
  }
  if (Array.isArray(value)) {
    const { items } = node;
    if (items === undefined) return;
    for (let index = 0; index < value.length; index++) {
      const entry: unknown = value[index];
      walk({ value: entry, old: sameItem(old, entry, node) }, items, [...path, index], failed, problems);
    }
  } else if (isJsonObject(value)) {
    const before = isJsonObject(old) && node['x-kubernetes-map-type'] !== 'atomic' ? old : {};
    for (const [key, entry] of Object.entries(value)) {
      const child = childNode(node, key);
      if (child === undefined) continue;
      walk({ value: entry, old: Object.hasOwn(before, key) ? before[key] : undefined }, child, [...path, key], failed, problems);
    }
  }
}

function brokenOf(rules: readonly CelRule[], { value, old }: Pair, node: SchemaNode, path: FieldPath): FieldProblem[] {
  const isRoot = path.length === 0;
  const self = toCelValue(value, node, { isRoot });
  if (self === undefined) return [];
  const oldSelf = old === undefined || old === null ? undefined : toCelValue(old, node, { isRoot });
  return rules.flatMap((rule) => {
    if (isAboutChange(rule) && oldSelf === undefined) return [];
    const run = (source: string): ReturnType<CompiledRule> => compileRule(source)(self, oldSelf);
    const result = run(rule.rule);
    return result === true ? [] : [problemOf(rule, result, run, path, value)];
  });
}

function problemOf(
  { rule, message, messageExpression, fieldPath }: CelRule,
  result: unknown,
  run: (source: string) => unknown,
  path: FieldPath,
  value: unknown,
): FieldProblem {
  const at = [...path, ...fieldSteps(fieldPath)];
  const fields = fieldsNamedBy(rule);
  // As the server does it: the text of an expression that fails is left out.
  const text = messageExpression === undefined ? message : run(messageExpression);
  const reason = isCelError(result) ? ` (${result.message})` : '';
  return {
    path: at,
    problem: {
      code: 'AIG030',
      what: `${formatFieldPath(at)} breaks a rule of its kind${fields === '' ? '' : ` about ${fields}`}${typeof text === 'string' ? `, ${text}` : ''}${reason}`,
      ...(typeof value === 'object' ? {} : { value }),
      allowed: rule.trim().replace(/\s+/g, ' '),
      fix: 'change it so that the rule holds',
    },
  };
}

// `.spec.a` → its steps; indices and quoted keys do not occur in published definitions, and the rule's own place is right then too.
function fieldSteps(fieldPath: string | undefined): FieldPath {
  return fieldPath !== undefined && /^(?:\.\w+)+$/.test(fieldPath) ? fieldPath.slice(1).split('.') : [];
}
