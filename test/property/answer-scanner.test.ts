import * as fc from 'fast-check';
import { AnswerScanner } from '../../src/picker/openai/answer-scanner';
import { corpus, fuzzRuns } from './corpus';

const MASK = { hidden: 'meta-llama/Llama "8B"', shown: 'llama' };

interface Seen {
  readonly sent: string;
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

function follow(format: 'json' | 'events', chunks: readonly Buffer[], masked: boolean, scanner = new AnswerScanner()): Seen {
  scanner.begin(format, masked ? MASK : undefined);
  const sent: Buffer[] = [];
  chunks.forEach((chunk, index) => {
    // elsewhere in a larger buffer, as the bytes of a socket read are
    const around = Buffer.concat([Buffer.from('"usage":{"x'), chunk, Buffer.from('"usage":9}')]);
    scanner.push(around, 11, 11 + chunk.length, index === chunks.length - 1);
    sent.push(scanner.changed ? Buffer.from(scanner.output.subarray(0, scanner.outputLength)) : chunk);
  });
  const { inputTokens: input, outputTokens: output, cachedTokens: cached } = scanner.usage;
  return { sent: Buffer.concat(sent).toString('latin1'), input, output, cached };
}

function everySplit(format: 'json' | 'events', bytes: Buffer, masked: boolean): Seen {
  const whole = follow(format, [bytes], masked);
  const scanner = new AnswerScanner();
  expect(
    follow(
      format,
      [...bytes].map((byte) => Buffer.from([byte])),
      masked,
      scanner,
    ),
  ).toEqual(whole);
  const step = Math.max(1, Math.floor(bytes.length / 150));
  for (let at = 0; at <= bytes.length; at += step) {
    expect(follow(format, [bytes.subarray(0, at), bytes.subarray(at)], masked, scanner)).toEqual(whole);
  }
  return whole;
}

const count = fc.oneof(fc.nat(), fc.constantFrom(null, -3, 1.5, 1e21, '7'));
const noise = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '"usage":{"prompt_tokens":1}',
    '"model":"meta-llama/Llama \\"8B\\""',
    { usage: { prompt_tokens: 5 }, model: MASK.hidden },
    [{ model: MASK.hidden, usage: { completion_tokens: 3 } }],
  ),
);
const usage = fc.oneof(
  fc.constant(null),
  fc.dictionary(
    fc.constantFrom(
      'prompt_tokens',
      'completion_tokens',
      'input_tokens',
      'output_tokens',
      'cache_read_input_tokens',
      'cache_creation_input_tokens',
      'x',
    ),
    count,
  ),
  fc.record({ prompt_tokens: fc.nat(), prompt_tokens_details: fc.record({ cached_tokens: count, audio: noise }) }),
);
const model = fc.constantFrom(MASK.hidden, MASK.hidden, 'other', `${MASK.hidden}-x`, MASK.hidden.repeat(8), 'meta', 7);
const inner = fc.record({ id: noise, model, usage, choices: noise }, { requiredKeys: [] });
const answer = fc.record({ id: noise, model, choices: noise, response: inner, message: inner, usage }, { requiredKeys: [] });
type Answer = Record<string, unknown>;

/** What the counts must be, by parsing. */
function expected(answers: readonly Answer[]): Pick<Seen, 'input' | 'output' | 'cached'> {
  const fields: Record<string, number> = {};
  const take = (key: string, value: unknown) => {
    if (Number.isSafeInteger(value) && (value as number) >= 0) fields[key] = value as number;
  };
  const visit = (object: Answer, depth: number) => {
    for (const [key, value] of Object.entries(object)) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
      if (depth === 0 && (key === 'response' || key === 'message')) visit(value as Answer, 1);
      if (key !== 'usage') continue;
      for (const [name, member] of Object.entries(value as Answer)) {
        if (/^(prompt|input)_tokens$/.test(name)) take('prompt', member);
        if (/^(completion|output)_tokens$/.test(name)) take('output', member);
        if (/^cache_/.test(name)) take(name, member);
        if (name === 'prompt_tokens_details') take('cached', (member as Answer)['cached_tokens']);
      }
    }
  };
  for (const each of answers) visit(each, 0);
  const read = fields['cache_read_input_tokens'];
  const created = fields['cache_creation_input_tokens'];
  return {
    input: fields['prompt'] === undefined ? -1 : fields['prompt'] + (read ?? 0) + (created ?? 0),
    output: fields['output'] ?? -1,
    cached: read ?? fields['cached'] ?? -1,
  };
}

/** The answer as the client must see it. */
function shown(object: Answer): Answer {
  const hide = (value: Answer) => (value['model'] === MASK.hidden ? { ...value, model: MASK.shown } : value);
  const copy = hide(object);
  for (const wrapper of ['response', 'message']) {
    const wrapped = copy[wrapper];
    if (typeof wrapped === 'object' && wrapped !== null) copy[wrapper] = hide(wrapped as Answer);
  }
  return copy;
}

const same = (value: Answer) => JSON.stringify(value);

describe('the answer scanner', () => {
  test('counts and masks a JSON answer, however it is cut', () => {
    fc.assert(
      fc.property(answer, fc.constantFrom(undefined, 2), (value, space) => {
        const bytes = Buffer.from(JSON.stringify(value, undefined, space));
        const plain = everySplit('json', bytes, false);
        expect(plain).toMatchObject({ ...expected([value]), sent: bytes.toString('latin1') });
        const masked = everySplit('json', bytes, true);
        expect(masked).toMatchObject(expected([value]));
        expect(same(JSON.parse(Buffer.from(masked.sent, 'latin1').toString()))).toBe(same(shown(JSON.parse(bytes.toString()))));
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  test('counts and masks events, however they are cut and whatever line ends they have', () => {
    const stream = fc.tuple(
      fc.array(answer, { maxLength: 4 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.constantFrom('data: ', 'data:', 'event: x\ndata: '),
    );
    fc.assert(
      fc.property(stream, ([answers, end, prefix]) => {
        const write = (values: readonly Answer[]) =>
          values.map((value) => `${prefix.replace('\n', end)}${JSON.stringify(value)}${end}${end}`).join('') +
          `data: [DONE]${end}${end}`;
        const bytes = Buffer.from(write(answers));
        expect(everySplit('events', bytes, false)).toMatchObject({ ...expected(answers), sent: bytes.toString('latin1') });
        const masked = everySplit('events', bytes, true);
        expect(masked).toMatchObject(expected(answers));
        expect(Buffer.from(masked.sent, 'latin1').toString()).toBe(write(answers.map(shown)));
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  test('cuts make no difference for bytes that are no answer, and unmasked bytes stay as they are', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom(
            'data: ',
            '{"',
            '"usage":',
            '{"model":"',
            MASK.hidden.replaceAll('"', '\\"'),
            '"',
            '}',
            '\n\n',
            '\r',
            '\\',
            '"prompt_tokens":12',
            ',',
            '[',
          )
          .map((text) => Buffer.from(text)),
      ),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(pieces, fc.constantFrom('json' as const, 'events' as const), (parts, format) => {
        const bytes = Buffer.concat(parts);
        expect(everySplit(format, bytes, false).sent).toBe(bytes.toString('latin1'));
        everySplit(format, bytes, true);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test.each(corpus('sse'))('stored case %s', (_name, bytes) => {
    expect(everySplit('events', bytes, false)).toMatchSnapshot();
    expect(everySplit('events', bytes, true)).toMatchSnapshot();
  });
});
