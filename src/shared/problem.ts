/**
 * One thing that is wrong with what a user gave: the same shape for construct errors, picker configuration and
 * validation findings, so that a message always has a code, the value, what is allowed and what to do.
 */
export interface Problem {
  /** `AIG` and three digits; docs/errors.md lists them. */
  readonly code: string;
  /** What is wrong: lower case, no final period, naming the property as the user wrote it. */
  readonly what: string;
  /** The value given. @default - none to show */
  readonly value?: unknown;
  /** What would be accepted. @default - not a matter of values */
  readonly allowed?: string;
  /** What to change. */
  readonly fix: string;
  /** A construct path, or `file:line:column`. @default - no place */
  readonly where?: string;
}

/** `AIG410 what is wrong (got 3; allowed: 1, 2, 4); set tensorParallel to 4 [llm/llama]` */
export function formatProblem(problem: Problem): string {
  const facts: string[] = [];
  if (problem.value !== undefined) facts.push(`got ${shown(problem.value)}`);
  if (problem.allowed !== undefined) facts.push(`allowed: ${problem.allowed}`);
  const where = problem.where === undefined ? '' : ` [${problem.where}]`;
  return `${problem.code} ${problem.what}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}: ${problem.fix}${where}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 197)}…` : text;
}
