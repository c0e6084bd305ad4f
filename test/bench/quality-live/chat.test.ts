import { tokenize } from '../../../src/simulation/engine/core/tokenizer';
import { answerOf, textOf } from './chat';

test('each token becomes a text of four bytes that an engine takes for one token', () => {
  const text = textOf(Int32Array.of(0, 1, 52, 2 ** 31 - 1, 1));
  expect(text).toHaveLength(20);
  const { ids } = tokenize(text);
  expect(ids).toHaveLength(5);
  expect(ids[1]).toBe(ids[4]);
  expect(new Set(ids).size).toBe(4);
});

test('the answer is the text of a stream that came to its end', () => {
  const event = (delta: object): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;
  const stream = `${event({ role: 'assistant', content: '' })}${event({ content: ' two' })}${event({ content: ' words' })}${event({})}`;
  expect(answerOf(`${stream}data: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n`)).toBe(' two words');
  expect(answerOf(stream)).toBeUndefined();
});
