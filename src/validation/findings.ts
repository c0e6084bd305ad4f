import { formatProblem, type Problem } from '../shared/problem';
import type { Mend, Severity } from './rules/rule';
import type { FieldPath } from './schema/field-path';

/** The object that a finding is about. */
export interface ObjectIdentity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  /** Empty where the object has none. */
  readonly name: string;
}

/** One thing that is wrong with a manifest: a `Problem` with its place. */
export interface Finding extends Problem {
  /** A hint is something to know; it fails no check unless asked to. */
  readonly severity: Severity;
  /** Undefined when the document is no Kubernetes object. */
  readonly object?: ObjectIdentity;
  /** The field inside the object, `spec.rules[0].name`; undefined when the object as a whole is meant. */
  readonly field?: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
  /** From the annotation `cdk8s-ai-gateway.dev/path`. */
  readonly constructPath?: string;
  /** A change that mends it, where there is one that can do no harm. */
  readonly mend?: Mend;
}

/** A problem with one field of an object, before it is known where the object came from. */
export interface FieldProblem {
  readonly path: FieldPath;
  /** `where` comes with the document. */
  readonly problem: Omit<Problem, 'where'>;
  /** @default 'error' */
  readonly severity?: Severity;
}

/** `error HTTPRoute ai/llama: AIG012 spec.parentRefs[0].name is missing: add it [llm/llama/Resource]` */
export function formatFinding(finding: Finding): string {
  const object = finding.object === undefined ? '' : ` ${formatIdentity(finding.object)}:`;
  return `${finding.severity}${object} ${formatProblem(finding)}`;
}

export function formatIdentity(object: ObjectIdentity): string {
  const name = object.name === '' ? '(no name)' : object.name;
  return `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${name}`;
}

/** By file, line and column, then by construct path, object, field and code: the order in which a user works through them. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compare(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compare(a.constructPath, b.constructPath) ||
      compare(a.object && formatIdentity(a.object), b.object && formatIdentity(b.object)) ||
      compare(a.field, b.field) ||
      compare(a.code, b.code) ||
      compare(a.what, b.what),
  );
}

function compare(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  return (a ?? '') < (b ?? '') ? -1 : 1;
}
