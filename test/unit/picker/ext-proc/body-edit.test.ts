import * as fc from 'fast-check';
import { applyEdits, editedLength, editedPiece } from '../../../../src/picker/ext-proc/body-edit';
import { BodyPool } from '../../../../src/picker/ext-proc/body-pool';
import { outputEdits } from '../../../../src/picker/ext-proc/output-edit';
import { usageEdit } from '../../../../src/picker/ext-proc/usage-edit';
import { BodyScan, scanBody } from '../../../../src/picker/openai/body-scanner';

const chat = (more: string): Buffer => Buffer.from(`{"model":"m","messages":[{"role":"user","content":"x"}]${more}}`);
const scanned = (body: Buffer): BodyScan => {
  const scan = new BodyScan();
  scanBody('chat', body, scan);
  return scan;
};

test.each([
  ['none', ',"stream":true', { include_usage: true }],
  ['null', ',"stream":true,"stream_options":null', { include_usage: true }],
  ['others', ',"stream":true,"stream_options":{"x":[1,{"y":2}]}', { x: [1, { y: 2 }], include_usage: true }],
  ['the contrary', ',"stream_options": {"include_usage":false} ,"stream":true', { include_usage: true }],
  ['two', ',"stream":true,"stream_options":{"a":1},"stream_options":{}', { include_usage: true }],
])('a stream whose options are %s tells its usage', (_, more, options) => {
  const body = chat(more);
  const edit = usageEdit('chat', body, scanned(body))!;
  const changed = applyEdits(body, [edit], new BodyPool(0)).toString('utf8', 0, editedLength(body, [edit]));
  const { stream_options: sent, ...rest } = JSON.parse(changed) as Record<string, unknown>;
  expect(sent).toEqual(options);
  const { stream_options: _given, ...before } = JSON.parse(body.toString()) as Record<string, unknown>;
  expect(rest).toEqual(before);
});

test.each([
  ['no stream', 'chat', ''],
  ['a stream that tells it already', 'chat', ',"stream":true,"stream_options":{"include_usage":true}'],
  ['an API that always tells it', 'messages', ',"stream":true'],
  ['options that the engine will refuse', 'chat', ',"stream":true,"stream_options":[]'],
] as const)('%s is left alone', (_, api, more) => {
  const body = chat(more);
  expect(usageEdit(api, body, scanned(body))).toBeUndefined();
});

test('edits give the same body, whole or piece by piece', () => {
  const edits = fc.tuple(fc.nat(12), fc.nat(4), fc.nat(5), fc.nat(4), fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }));
  fc.assert(
    fc.property(edits, fc.array(fc.nat(9), { maxLength: 6 }), ([start, length, gap, length2, text, text2], cuts) => {
      const body = Buffer.from('abcdefghijklmnopqrstuvwxyz0123');
      const second = start + length + gap;
      const both = [
        { start, end: start + length, text: Buffer.from(text) },
        { start: second, end: second + length2, text: Buffer.from(text2) },
      ];
      const size = editedLength(body, both);
      const whole = applyEdits(body, both, new BodyPool(0)).toString('utf8', 0, size);
      expect(whole).toBe(
        `${body.toString('utf8', 0, start)}${text}${body.toString('utf8', start + length, second)}${text2}${body.toString('utf8', second + length2)}`,
      );
      const pieces: string[] = [];
      let at = 0;
      for (const cut of [...cuts, body.length]) {
        const end = Math.min(body.length, at + cut);
        const piece = editedPiece(body, both, at, end) ?? body.subarray(at, end);
        pieces.push(piece.toString());
        at = end;
      }
      expect(pieces.join('')).toBe(whole);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['a bound that is larger', 'chat', { max_tokens: 900 }, { max_tokens: 50 }],
  ['both bounds', 'chat', { max_tokens: 900, max_completion_tokens: 70 }, { max_tokens: 50, max_completion_tokens: 50 }],
  ['a bound that is none', 'chat', { max_tokens: null }, { max_tokens: 50 }],
  ['no bound', 'chat', {}, { max_tokens: 50 }],
  ['no bound of the newer API', 'responses', {}, { max_output_tokens: 50 }],
  ['a bound that is smaller', 'chat', { max_tokens: 9 }, { max_tokens: 9 }],
  ['what the engine refuses', 'chat', { max_tokens: 'many' }, { max_tokens: 'many' }],
] as const)('an answer is cut to 50 tokens where the request has %s', (_, api, given, expected) => {
  const rest = { model: 'm', messages: [{ role: 'user', content: 'max_tokens' }], input: 'hi' };
  const body = Buffer.from(JSON.stringify({ ...given, ...rest }));
  const edits = outputEdits(api, body, scanned(body), 50);
  const changed = applyEdits(body, edits, new BodyPool(1 << 20));
  expect(JSON.parse(changed.toString('utf8', 0, editedLength(body, edits)))).toEqual({ ...expected, ...rest });
});
