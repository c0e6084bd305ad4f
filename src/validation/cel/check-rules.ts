import { isCelError } from '@bufbuild/cel';
import type { FieldProblem } from '../findings';
import { type FieldPath, formatFieldPath } from '../schema/field-path';
import { type CelRule, childNode, isJsonObject, type SchemaNode } from '../schema/schema-node';
import { compileRule } from './compile';
import { toCelValue } from './values';

/**
 * Every rule (`x-kubernetes-validations`) of the schema that the value breaks. A rule is not run on a value inside which another check
 * failed (`failed`), for it may ask for what is missing there; rules about changes (`oldSelf`) say nothing of a new object.
 */
export function checkRules(root: unknown, schema: SchemaNode, failed: readonly FieldPath[]): FieldProblem[] {
  const problems: FieldProblem[] = [];
  walk(root, schema, [], failed, problems);
  return problems;
}

function walk(value: unknown, node: SchemaNode, path: FieldPath, failed: readonly FieldPath[], problems: FieldProblem[]): void {
  const rules = (node['x-kubernetes-validations'] ?? []).filter(({ rule }) => !/\boldSelf\b/.test(rule));
  if (rules.length > 0 && value !== null && !failed.some((other) => startsWith(other, path))) {
    const self = toCelValue(value, node, { isRoot: path.length === 0 });
    if (self !== undefined) for (const rule of rules) problems.push(...broken(rule, compileRule(rule.rule)(self), path, value));
  }
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (let index = 0; index < value.length; index++) walk(value[index], node.items, [...path, index], failed, problems);
  } else if (isJsonObject(value)) {
    for (const [key, entry] of Object.entries(value)) {
      const child = childNode(node, key);
      if (child !== undefined) walk(entry, child, [...path, key], failed, problems);
    }
  }
}

function broken({ rule, message, fieldPath }: CelRule, result: unknown, path: FieldPath, value: unknown): FieldProblem[] {
  if (result === true) return [];
  const at = [...path, ...fieldSteps(fieldPath)];
  const text = rule.trim().replace(/\s+/g, ' ');
  const reason = isCelError(result) ? ` (${result.message})` : '';
  return [
    {
      path: at,
      problem: {
        code: 'AIG030',
        what: `${formatFieldPath(at)} breaks a rule of its kind${message === undefined ? '' : `, ${message}`}${reason}`,
        ...(typeof value === 'object' ? {} : { value }),
        allowed: text,
        fix: 'change it so that the rule holds',
      },
    },
  ];
}

// `.spec.a` → its steps; indices and quoted keys do not occur in published definitions, and the rule's own place is right then too.
function fieldSteps(fieldPath: string | undefined): FieldPath {
  return fieldPath !== undefined && /^(?:\.\w+)+$/.test(fieldPath) ? fieldPath.slice(1).split('.') : [];
}

function startsWith(path: FieldPath, prefix: FieldPath): boolean {
  return prefix.length <= path.length && prefix.every((step, index) => step === path[index]);
}
