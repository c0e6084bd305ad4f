import { formatProblem } from '../../shared/problem';
import { KubeObject, ObjectIndex } from '../object-index';
import { isJsonObject } from '../schema/schema-node';
import { RULES } from './index';
import type { Profile } from './rule';

/**
 * What rules that look at several objects say of these, errors only, one line each. For callers that make the objects themselves and
 * have no use for schemas: nothing here loads ajv or CEL.
 *
 * @param locate what to name as the place of an object, a construct path for example
 */
export function ruleErrors(objects: readonly unknown[], profile: Profile, locate: (value: unknown) => string): string[] {
  const index = new ObjectIndex(objects.filter(isJsonObject).map((value) => new KubeObject(value)));
  const crossObject = RULES.filter(({ isAdmission }) => isAdmission !== true);
  return crossObject.flatMap((rule) =>
    rule
      .check(index, profile)
      .filter(({ severity }) => (severity ?? rule.severity) === 'error')
      .map(({ field, what, value, allowed, fix }) =>
        formatProblem({ code: rule.code, what, value, allowed, fix, where: locate(field.object.value) }),
      ),
  );
}
