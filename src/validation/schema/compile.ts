import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import { STRING_FORMATS } from './formats';
import { isApart, toJsonSchema } from './json-schema';
import { compileRe2 } from './re2';
import { childNode, isJsonObject, type SchemaNode } from './schema-node';

let ajv: Ajv | undefined;
const compiled = new WeakMap<SchemaNode, ValidateFunction>();

/**
 * What ajv finds. Objects with fields of their own are compiled apart, each when a value first has it: a document uses few of the
 * thousands of nodes of a schema. Throws only for a pinned schema that this code does not understand, never for a manifest.
 */
export function schemaErrors(schema: SchemaNode, value: unknown): readonly ErrorObject[] {
  const errors: ErrorObject[] = [];
  checkApart(value, schema, '', errors);
  return errors;
}

function checkApart(value: unknown, node: SchemaNode, pointer: string, errors: ErrorObject[]): void {
  const validate = compiled.get(node) ?? compile(node);
  if (!validate(value)) {
    for (const error of validate.errors ?? []) errors.push({ ...error, instancePath: `${pointer}${error.instancePath}` });
  }
  descend(value, node, pointer, errors);
}

function descend(value: unknown, node: SchemaNode, pointer: string, errors: ErrorObject[]): void {
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (let index = 0; index < value.length; index++) visit(value[index], node.items, `${pointer}/${index}`, errors);
  } else if (isJsonObject(value)) {
    for (const [key, entry] of Object.entries(value)) {
      const child = childNode(node, key);
      if (child !== undefined) visit(entry, child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, errors);
    }
  }
}

function visit(value: unknown, node: SchemaNode, pointer: string, errors: ErrorObject[]): void {
  if (isApart(node)) checkApart(value, node, pointer, errors);
  else descend(value, node, pointer, errors);
}

function compile(node: SchemaNode): ValidateFunction {
  ajv ??= new Ajv({
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
  const validate = ajv.compile(toJsonSchema(node));
  compiled.set(node, validate);
  return validate;
}
