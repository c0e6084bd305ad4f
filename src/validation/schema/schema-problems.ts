import type { ErrorObject } from 'ajv';
import type { FieldProblem } from '../findings';
import { nearest } from '../nearest';
import { type FieldPath, formatFieldPath, parseJsonPointer, valueAt } from './field-path';

const MAX_LISTED_VALUES = 20;

/** What a schema found, in the words of a user. Errors inside the branches of anyOf, oneOf and not are told as one. */
export function describeSchemaErrors(errors: readonly ErrorObject[], value: unknown): FieldProblem[] {
  const isNested = (error: ErrorObject) => /\/(?:anyOf|oneOf)\/\d+\/|\/not\//.test(error.schemaPath);
  const problems = errors.filter((error) => !isNested(error)).flatMap((error) => describe(error, value, errors) ?? []);
  // A value of a wrong type also fails the composition beside its type; the plain sentence is enough.
  const told = new Set(problems.filter(({ problem }) => problem.code !== 'AIG017').map(({ path }) => formatFieldPath(path)));
  return dedupe(problems.filter(({ path, problem }) => problem.code !== 'AIG017' || !told.has(formatFieldPath(path))));
}

function describe(error: ErrorObject, root: unknown, all: readonly ErrorObject[]): FieldProblem | undefined {
  const path = parseJsonPointer(error.instancePath, root);
  const field = formatFieldPath(path);
  const at = (code: string, complaint: string, rest: { value?: unknown; allowed?: string; fix: string }): FieldProblem => ({
    path,
    problem: { code, what: `${field} ${complaint}`, ...rest },
  });
  const value = valueAt(root, path);
  const limit = Number((error.params as { limit?: number }).limit);
  switch (error.keyword) {
    case 'type': {
      const wanted = [error.params['type']].flat().join(' or ');
      return at('AIG011', `is ${kindOf(value)}`, { value, allowed: wanted, fix: `give ${article(wanted)}` });
    }
    case 'required': {
      const missing = String(error.params['missingProperty']);
      const at = [...path, missing];
      const what = `${formatFieldPath(at)} is missing`;
      return { path: at, problem: { code: 'AIG012', what, fix: `add ${missing}${path.length === 0 ? '' : ` to ${field}`}` } };
    }
    case 'enum': {
      const values = (error.params as { allowedValues: readonly unknown[] }).allowedValues;
      const shown = values.slice(0, MAX_LISTED_VALUES).map((entry) => JSON.stringify(entry));
      const near =
        typeof value === 'string'
          ? nearest(
              value,
              values.filter((entry) => typeof entry === 'string'),
            )
          : undefined;
      return at('AIG013', 'is not one of the allowed values', {
        value,
        allowed: `${shown.join(', ')}${values.length > MAX_LISTED_VALUES ? ', …' : ''}`,
        fix: near === undefined ? 'take one of them' : `did you mean '${near}'?`,
      });
    }
    case 'pattern':
      return at('AIG014', 'has the wrong form', {
        value,
        allowed: `text that matches ${String(error.params['pattern'])}`,
        fix: 'change it to match',
      });
    case 'format': {
      const format = String(error.params['format']);
      const name = format === 'byte' || format === 'base64-lines' ? 'base64' : format;
      return at('AIG018', `is no ${name}`, { value, allowed: name, fix: 'change its form' });
    }
    case 'minimum':
      return at('AIG015', 'is too small', { value, allowed: `at least ${limit}`, fix: 'raise it' });
    case 'maximum':
      return at('AIG015', 'is too large', { value, allowed: `at most ${limit}`, fix: 'lower it' });
    case 'exclusiveMinimum':
      return at('AIG015', 'is too small', { value, allowed: `more than ${limit}`, fix: 'raise it' });
    case 'exclusiveMaximum':
      return at('AIG015', 'is too large', { value, allowed: `less than ${limit}`, fix: 'lower it' });
    case 'multipleOf': {
      const factor = String(error.params['multipleOf']);
      return at('AIG015', `is not a multiple of ${factor}`, { value, allowed: `multiples of ${factor}`, fix: 'change it' });
    }
    case 'minLength':
      return at('AIG015', 'is too short', { value, allowed: `at least ${limit} characters`, fix: 'make it longer' });
    case 'maxLength':
      return at('AIG015', `is too long with ${[...String(value)].length} characters`, {
        value,
        allowed: `at most ${limit} characters`,
        fix: 'shorten it',
      });
    case 'minItems':
      return at('AIG015', `has too few entries`, {
        value: countOf(value),
        allowed: `at least ${limit} entries`,
        fix: 'add entries',
      });
    case 'maxItems':
      return at('AIG015', `has too many entries`, {
        value: countOf(value),
        allowed: `at most ${limit} entries`,
        fix: 'remove or split',
      });
    case 'minProperties':
      return at('AIG015', 'has too few fields', {
        value: countOf(value),
        allowed: `at least ${limit} fields`,
        fix: 'set more of them',
      });
    case 'maxProperties':
      return at('AIG015', 'has too many fields', {
        value: countOf(value),
        allowed: `at most ${limit} fields`,
        fix: 'set fewer of them',
      });
    case 'anyOf':
    case 'oneOf':
      return composition(error, path, value, root, all);
    case 'not':
      return at('AIG017', 'has a combination of fields that is excluded', { value: keysOf(value), fix: 'remove one of them' });
    default:
      throw new Error(`no message for the schema keyword ${error.keyword}`);
  }
}

function composition(
  error: ErrorObject,
  path: FieldPath,
  value: unknown,
  root: unknown,
  all: readonly ErrorObject[],
): FieldProblem {
  const field = formatFieldPath(path);
  if (Array.isArray((error.params as { passingSchemas?: readonly number[] | null }).passingSchemas)) {
    const what = `${field} takes several forms that exclude each other`;
    return { path, problem: { code: 'AIG017', what, value: keysOf(value), fix: 'keep one of them' } };
  }
  const wishes = new Set(
    all
      .filter(
        ({ schemaPath, instancePath }) =>
          schemaPath.startsWith(`${error.schemaPath}/`) && instancePath.startsWith(error.instancePath),
      )
      .flatMap((other) => wish(other, root, all)),
  );
  return {
    path,
    problem: {
      code: 'AIG017',
      what: `${field} has none of the allowed forms`,
      value: keysOf(value),
      ...(wishes.size === 0 ? {} : { allowed: [...wishes].slice(0, MAX_LISTED_VALUES).join(', or ') }),
      fix: 'give it one of them',
    },
  };
}

// What one branch of a composition asks for.
function wish(error: ErrorObject, root: unknown, all: readonly ErrorObject[]): string[] {
  if (error.keyword === 'required') return [`${String(error.params['missingProperty'])} set`];
  return [describe(error, root, all)?.problem.allowed ?? []].flat();
}

function dedupe(problems: readonly FieldProblem[]): FieldProblem[] {
  const seen = new Set<string>();
  return problems.filter(
    ({ problem }) => !seen.has(`${problem.code} ${problem.what}`) && seen.add(`${problem.code} ${problem.what}`),
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return article(typeof value);
}

const article = (noun: string): string => `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;

const countOf = (value: unknown): number => (Array.isArray(value) ? value.length : Object.keys(value as object).length);

const keysOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : value;
