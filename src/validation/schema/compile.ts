import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import { STRING_FORMATS } from './formats';
import { toJsonSchema } from './json-schema';
import { compileRe2 } from './re2';
import type { KindSchema } from './registry';

const compiled = new WeakMap<KindSchema, ValidateFunction>();

/** Compiles a kind's schema on first use; throws only for a pinned schema that this code does not understand, never for a manifest. */
export function schemaErrors(kind: KindSchema, value: unknown): readonly ErrorObject[] {
  let validate = compiled.get(kind);
  if (validate === undefined) compiled.set(kind, (validate = newAjv().compile(toJsonSchema(kind.schema))));
  return validate(value) ? [] : (validate.errors ?? []);
}

function newAjv(): Ajv {
  return new Ajv({
    strict: false,
    allErrors: true,
    messages: false, // schema-problems.ts has its own
    validateSchema: false,
    ownProperties: true, // a field may be called `constructor`
    logger: false,
    // Optimized code takes longer to make than it saves on a few objects.
    code: { optimize: false, regExp: Object.assign((pattern: string) => compileRe2(pattern), { code: 'compileRe2' }) },
    formats: STRING_FORMATS,
  });
}
