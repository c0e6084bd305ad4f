import type { Field, ObjectIndex } from '../object-index';
import { formatFieldPath } from '../schema/field-path';
import type { Implementation } from './support/implementation-names';

export type Severity = 'error' | 'warning' | 'hint';

/** What is known beside the objects. */
export interface Profile {
  /** The gateway implementation, where the user named it. @default - detected for each Gateway */
  readonly implementation?: Implementation;
  /** `1.37`. @default - the newest that is known */
  readonly kubernetesVersion?: string;
  /** @default 'standard' */
  readonly gatewayApiChannel?: 'standard' | 'experimental';
  /** The input is everything there is: what is not in it does not exist. @default false */
  readonly complete?: boolean;
  /** The objects as they are in the cluster, for rules about changes. */
  readonly previous?: ObjectIndex;
}

/** A change that can only improve the object: `set` writes the value there (adding the field), `remove` deletes the field. */
export type Mend = { readonly set: Field['path']; readonly value: unknown } | { readonly remove: Field['path'] };

/** One place that breaks a rule. */
export interface RuleFinding {
  readonly field: Field;
  readonly what: string;
  readonly value?: unknown;
  readonly allowed?: string;
  readonly fix: string;
  /** @default - the rule's */
  readonly severity?: Severity;
  readonly mend?: Mend;
}

/** A check over all objects. Plain data and a function: no schema, no CEL, no I/O. */
export interface Rule {
  readonly code: string;
  /** For `--rules`: kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly severity: Severity;
  /** True for what an API server itself refuses, looking at one object only. @default false */
  readonly isAdmission?: boolean;
  /** The code of a finding of the schema that this one tells more exactly, when both are about the same field. @default - none */
  readonly replaces?: string;
  readonly check: (index: ObjectIndex, profile: Profile) => RuleFinding[];
}

type Rest = Omit<RuleFinding, 'field' | 'what' | 'value'>;

/** `spec.ports[0].name <complaint>`, with the value that stands there when it is no object. */
export function finding(field: Field, complaint: string, rest: Rest): RuleFinding {
  const { value } = field;
  return {
    field,
    what: `${formatFieldPath(field.path)} ${complaint}`,
    ...(value === undefined || value === null || typeof value === 'object' ? {} : { value }),
    ...rest,
  };
}

/** `Service ai/llama`. */
export function named(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}
