import * as fc from 'fast-check';
import { BodyScan, scanBody } from '../../src/picker/openai/body-scanner';
import { jsonObject } from '../support/json-object';
import { corpus, fuzzRuns } from './corpus';

const MALFORMED = 'error unmarshaling request bodyMap';

function scanned(body: Buffer): BodyScan {
  const scan = new BodyScan();
  scanBody('responses', body, scan);
  return scan;
}

function agrees(body: Buffer): void {
  const scan = scanned(body);
  const value = jsonObject(body);
  expect(scan.error?.startsWith(MALFORMED) ?? false).toBe(value === undefined);
  if (value === undefined) return;
  expect(scan.model).toBe(typeof value['model'] === 'string' && value['model'] !== '' ? value['model'] : undefined);
  expect(scan.stream).toBe(value['stream'] === true);
  expect(scan.cacheSalt).toBe(typeof value['cache_salt'] === 'string' ? value['cache_salt'] : undefined);
  const whole = (field: unknown) => (Number.isSafeInteger(field) && (field as number) >= 0 ? (field as number) : -1);
  const limits = [value['max_completion_tokens'], value['max_output_tokens'], value['max_tokens']].map(whole);
  expect(scan.maxTokens).toBe(limits.find((limit) => limit >= 0) ?? -1);
  expect(scan.includeUsage).toBe((value['stream_options'] as { include_usage?: unknown } | null)?.include_usage === true);
  if (scan.modelStart >= 0) {
    const model: unknown = JSON.parse(body.subarray(scan.modelStart, scan.modelEnd).toString());
    expect(model).toEqual(value['model']);
  }
  if (scan.promptStart >= 0) {
    const prompt: unknown = JSON.parse(body.subarray(scan.promptStart, scan.promptEnd).toString());
    expect(prompt).toEqual(value['input']);
  }
}

const key = fc.oneof(
  fc.constantFrom(
    'model',
    'stream',
    'input',
    'max_tokens',
    'max_output_tokens',
    'max_completion_tokens',
    'cache_salt',
    'stream_options',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.boolean(),
  fc.nat(),
  fc.record({ include_usage: fc.boolean() }),
);

const unicodeEscapes = (plain: string) =>
  [...plain]
    .flatMap((c) => c.split(''))
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** JSON text with white space, needless escapes and duplicate keys, which JSON.stringify never writes. */
const member = fc
  .tuple(key, value, fc.constantFrom('', ' ', '\n\t', '\r '), fc.boolean(), fc.boolean())
  .map(([name, content, space, escapesName, escapesValue]) => {
    const written = (plain: string, escapes: boolean) =>
      escapes ? `"${unicodeEscapes(plain)}"` : JSON.stringify(plain).replaceAll('/', '\\/');
    const text = typeof content === 'string' ? written(content, escapesValue) : JSON.stringify(content, undefined, space.length);
    return `${space}${written(name, escapesName)}${space}:${space}${text}${space}`;
  });
const text = fc.array(member, { maxLength: 8 }).map((members) => `{${members.join(',')}}`);

const mutated = fc
  .tuple(
    text,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'drop', 'insert', 'cut')), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([json, edits]) => {
    let bytes = [...Buffer.from(json)];
    for (const [where, byte, kind] of edits) {
      const at = bytes.length === 0 ? 0 : where % bytes.length;
      if (kind === 'set') bytes[at] = byte;
      else if (kind === 'drop') bytes.splice(at, 1);
      else if (kind === 'insert') bytes.splice(at, 0, byte);
      else bytes = bytes.slice(0, at);
    }
    return Buffer.from(bytes);
  });

describe('the body scanner', () => {
  test('reads any JSON object as JSON.parse does', () => {
    fc.assert(
      fc.property(text, (json) => agrees(Buffer.from(json))),
      { numRuns: fuzzRuns(1_000) },
    );
  });

  test('refuses what JSON.parse refuses, and nothing else, after bytes were changed', () => {
    fc.assert(fc.property(mutated, agrees), { numRuns: fuzzRuns(2_000) });
  });

  test('finds the same wherever the body lies in its array buffer', () => {
    const json = Buffer.from(JSON.stringify({ input: 'a "quoted"\n text \\ of 数据', model: 'm/1', max_tokens: 7 }));
    for (let offset = 0; offset < 9; offset++) {
      const buffer = Buffer.alloc(json.length + offset + 8, '"');
      json.copy(buffer, offset);
      const scan = scanned(buffer.subarray(offset, offset + json.length));
      expect(scan).toMatchObject({ error: undefined, model: 'm/1', maxTokens: 7 });
    }
  });

  test.each(corpus('json'))('stored case %s', (_name, bytes) => agrees(bytes));
});
