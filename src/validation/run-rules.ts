import type { FieldProblem } from './findings';
import { KubeObject, ObjectIndex } from './object-index';
import { RULES } from './rules';
import type { Mend, Profile, Rule } from './rules/rule';
import type { JsonObject } from './schema/schema-node';

/** Which checks to run: what an API server would say of each document alone, all, or rules by code or name. */
export type RuleSelection = 'admission' | 'all' | readonly string[];

/** A rule's finding with the object it is about. */
export interface RuleProblem extends FieldProblem {
  readonly value: JsonObject;
  /** @see Rule.replaces */
  readonly replaces?: string;
  readonly mend?: Mend;
}

/** @throws RangeError for the name of a rule that does not exist */
export function selectRules(selection: RuleSelection): readonly Rule[] {
  if (selection === 'all') return RULES;
  if (selection === 'admission') return RULES.filter(({ isAdmission }) => isAdmission === true);
  const unknown = selection.filter((name) => !RULES.some((rule) => rule.code === name || rule.name === name));
  if (unknown.length > 0) throw new RangeError(`no such rule: ${unknown.join(', ')}`);
  return RULES.filter(({ code, name }) => selection.includes(code) || selection.includes(name));
}

export function runRules(rules: readonly Rule[], index: ObjectIndex, profile: Profile): RuleProblem[] {
  return rules.flatMap((rule) =>
    rule.check(index, profile).map(
      ({ field, what, value, allowed, fix, severity, mend }): RuleProblem => ({
        value: field.object.value,
        path: field.path,
        severity: severity ?? rule.severity,
        ...(rule.replaces === undefined ? {} : { replaces: rule.replaces }),
        ...(mend === undefined ? {} : { mend }),
        problem: {
          code: rule.code,
          what,
          fix,
          ...(value === undefined ? {} : { value }),
          ...(allowed === undefined ? {} : { allowed }),
        },
      }),
    ),
  );
}

export function indexOf(values: readonly JsonObject[]): ObjectIndex {
  return new ObjectIndex(values.map((value) => new KubeObject(value)));
}
