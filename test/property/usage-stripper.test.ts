import * as fc from 'fast-check';
import { UsageStripper } from '../../src/picker/openai/usage-stripper';
import { fuzzRuns } from './corpus';

const delta = fc.record({
  id: fc.constant('c'),
  choices: fc.array(fc.record({ index: fc.nat(3), delta: fc.record({ content: fc.string() }) }), { minLength: 1, maxLength: 2 }),
  usage: fc.constantFrom(undefined, null, { prompt_tokens: 1 }),
});
const eventText = (end: string) =>
  fc.oneof(
    { weight: 6, arbitrary: delta.map((value) => `data: ${JSON.stringify(value)}`) },
    fc.constantFrom(
      ': ping "usage"',
      'event: x',
      'data: [DONE]',
      'data: {"choices":[],"usage":null}',
      'data: {"choices":[]}',
      'data: "usage"',
      'data: {"usage":{"total_tokens":3}}',
      '',
    ),
    fc.constant(
      `data: {"choices":[{"index":0,"delta":{"content":"\\"usage\\":{}, \\"choices\\":[]"}}],${end}data: "usage":null}`,
    ),
  );
const USAGE = ['data: {"id":"c","choices":[],"usage":{"prompt_tokens":7}}', 'data:{"usage":{"prompt_tokens":7},"choices":[ ]}'];

/** A stream with what must be left of it. */
const stream = fc.constantFrom('\n', '\r\n', '\r').chain((end) =>
  fc
    .record({
      before: fc.array(eventText(end), { maxLength: 6 }),
      usage: fc.subarray(USAGE),
      after: fc.array(eventText(end), { maxLength: 2 }),
      cutOff: fc.constantFrom('', 'data: {"choices":[],"usage":{"p":1}}', 'data: {"cho'),
    })
    .map(({ before, usage, after, cutOff }) => {
      const text = (events: string[]): string => events.map((event) => event + end + end).join('');
      return { given: text([...before, ...usage, ...after]) + cutOff, left: text([...before, ...after]) + cutOff };
    }),
);

function strip(chunks: readonly Buffer[], stripper: UsageStripper): string {
  stripper.begin();
  const sent: Buffer[] = [];
  chunks.forEach((chunk, index) => {
    const around = Buffer.concat([Buffer.from('\n\n"usage"'), chunk, Buffer.from('\n\n"usage"')]);
    stripper.push(around, 9, 9 + chunk.length, index === chunks.length - 1);
    sent.push(stripper.changed ? Buffer.from(stripper.output.subarray(0, stripper.outputLength)) : chunk);
  });
  return Buffer.concat(sent).toString();
}

test('a client sees the engine’s bytes without the usage event, however the answer is cut', () => {
  const stripper = new UsageStripper();
  fc.assert(
    fc.property(stream, ({ given, left }) => {
      const bytes = Buffer.from(given);
      expect(strip([bytes], stripper)).toBe(left);
      const single = [...bytes].map((byte) => Buffer.from([byte]));
      expect(strip(single, stripper)).toBe(left);
      const step = Math.max(1, Math.floor(bytes.length / 120));
      for (let at = 0; at <= bytes.length; at += step) {
        expect(strip([bytes.subarray(0, at), bytes.subarray(at)], stripper)).toBe(left);
      }
    }),
    { numRuns: fuzzRuns(150) },
  );
});

test('an event that is too long to be the usage goes through without waiting for its end', () => {
  const stripper = new UsageStripper();
  stripper.begin();
  const part = Buffer.from(`data: {"choices":[{"delta":{"content":"${'x'.repeat(70_000)}`);
  stripper.push(part, 0, part.length, false);
  expect(stripper.outputLength).toBe(part.length);
  const rest = Buffer.from('"}}]}\n\ndata: {"choices":[],"usage":{}}\n\n');
  stripper.push(rest, 0, rest.length, true);
  expect(stripper.output.toString('utf8', 0, stripper.outputLength)).toBe('"}}]}\n\n');
});
