import { isJsonObject, type JsonObject } from '../../src/validation/schema/schema-node';

export interface Mutation {
  /** What was done, for the test's message. */
  readonly name: string;
  readonly object: JsonObject;
}

type Step = string | number;

const LONG_TEXT = 'a'.repeat(300);

/**
 * A valid object with one thing changed, in every way that may matter to a schema, at every field: dropped, of another type, out of
 * range, empty, too long, repeated, or with a field that nobody knows. Always the same, in the same order.
 */
export function mutationsOf(object: JsonObject): Mutation[] {
  const mutations: Mutation[] = [];
  for (const { path, value } of fieldsOf(object, [])) {
    if (path[0] === 'apiVersion' || path[0] === 'kind') continue; // they choose the schema
    const at = path.join('.');
    if (path.length > 0) {
      mutations.push({ name: `without ${at}`, object: edited(object, path, undefined) });
      for (const other of replacements(value)) {
        const shown = JSON.stringify(other);
        mutations.push({
          name: `${at} = ${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}`,
          object: edited(object, path, other),
        });
      }
    }
    if (isJsonObject(value)) {
      mutations.push({ name: `${at}.unknownField`, object: edited(object, [...path, 'unknownField'], 1) });
    }
    if (Array.isArray(value) && value.length > 0) {
      mutations.push({ name: `${at} repeats its first item`, object: edited(object, path, [...value, value[0]]) });
      mutations.push({ name: `${at} has 70 items`, object: edited(object, path, Array(70).fill(value[0])) });
    }
  }
  return mutations;
}

/** `count` of them, spread evenly. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)]!);
}

function* fieldsOf(value: unknown, path: readonly Step[]): Generator<{ path: readonly Step[]; value: unknown }> {
  yield { path, value };
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* fieldsOf(item, [...path, index]);
  else if (isJsonObject(value)) for (const [key, entry] of Object.entries(value)) yield* fieldsOf(entry, [...path, key]);
}

function replacements(value: unknown): unknown[] {
  if (typeof value === 'string') return [7, '', LONG_TEXT, `${value} X`, `${value}é😀`, value.toUpperCase(), {}, [], null, true];
  if (typeof value === 'number')
    return ['text', String(value), -1, 0, 1.5, value + 0.5, 2 ** 31, 2 ** 53, 1e30, null, {}, [value]];
  if (typeof value === 'boolean') return ['true', 1, null, !value];
  if (Array.isArray(value)) return [{}, 'text', null, [], [null], [7], [{}]];
  if (isJsonObject(value)) return ['text', 7, [], null, {}, [value]];
  return [7];
}

/** A copy in which the field is set, or gone if `replacement` is undefined. */
function edited(object: JsonObject, path: readonly Step[], replacement: unknown): JsonObject {
  const copy = structuredClone(object);
  let parent: unknown = copy;
  for (const step of path.slice(0, -1)) parent = (parent as Record<Step, unknown>)[step];
  const last = path.at(-1)!;
  if (replacement !== undefined) (parent as Record<Step, unknown>)[last] = replacement;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<Step, unknown>)[last];
  return copy;
}
