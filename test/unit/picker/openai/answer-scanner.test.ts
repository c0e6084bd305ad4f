import { AnswerScanner, mentionsUsage } from '../../../../src/picker/openai/answer-scanner';

function counts(format: 'json' | 'events', text: string): number[] {
  const scanner = new AnswerScanner();
  scanner.begin(format);
  const bytes = Buffer.from(text);
  scanner.push(bytes, 0, bytes.length, true);
  return [scanner.usage.inputTokens, scanner.usage.outputTokens, scanner.usage.cachedTokens];
}

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;

describe('token counts', () => {
  test.each([
    [
      'chat completions',
      { usage: { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 2 } } },
      [9, 4, 2],
    ],
    ['embeddings', { usage: { prompt_tokens: 9, total_tokens: 9 } }, [9, -1, -1]],
    ['responses', { usage: { input_tokens: 9, input_tokens_details: { cached_tokens: 3 }, output_tokens: 5 } }, [9, 5, 3]],
    [
      'messages, whose input leaves cached tokens out',
      { usage: { input_tokens: 9, output_tokens: 5, cache_read_input_tokens: 3, cache_creation_input_tokens: 1 } },
      [13, 5, 3],
    ],
    ['an answer without usage', { id: 'x' }, [-1, -1, -1]],
    ['usage that is null', { usage: null }, [-1, -1, -1]],
    [
      'user text and tool calls that look like usage',
      { choices: [{ usage: { prompt_tokens: 1 } }, '"usage":{"prompt_tokens":1}'] },
      [-1, -1, -1],
    ],
    ['numbers that are no counts', { usage: { prompt_tokens: 1.5, completion_tokens: -2 } }, [-1, -1, -1]],
  ])('of %s', (_api, body, expected) => {
    expect(counts('json', JSON.stringify(body))).toEqual(expected);
  });

  test.each([
    [
      'chat completions',
      `${event({ choices: [] }) + event({ usage: { prompt_tokens: 9, completion_tokens: 4 } })}data: [DONE]\n\n`,
      [9, 4, -1],
    ],
    [
      'running totals, of which the last counts',
      event({ usage: { prompt_tokens: 9, completion_tokens: 1 } }) + event({ usage: { prompt_tokens: 9, completion_tokens: 2 } }),
      [9, 2, -1],
    ],
    [
      'running totals that end with null',
      event({ usage: { prompt_tokens: 9, completion_tokens: 1 } }) + event({ usage: null }),
      [9, 1, -1],
    ],
    [
      'responses',
      `event: response.completed\n${event({ response: { usage: { input_tokens: 9, output_tokens: 5 } } })}`,
      [9, 5, -1],
    ],
    [
      'messages',
      event({ message: { usage: { input_tokens: 9, output_tokens: 1 } } }) + event({ usage: { output_tokens: 5 } }),
      [9, 5, -1],
    ],
    [
      'comments and other fields',
      `: "usage":{"prompt_tokens":1}\nid: 1\n\n${event({ usage: { prompt_tokens: 2 } })}`,
      [2, -1, -1],
    ],
    ['lines without a blank line between them', `data: {"id":1}\ndata: {"usage":{"prompt_tokens":2}}\n\n`, [2, -1, -1]],
    ['events without a blank line at the end', 'data: {"usage":{"prompt_tokens":2}}', [2, -1, -1]],
  ])('of events of %s', (_api, text, expected) => {
    expect(counts('events', text)).toEqual(expected);
  });
});

test.each([
  ['"usage"', true],
  ['xx"usage"yy', true],
  ['"usag"', false],
  ['"usage', false],
  ['usage"', false],
  ['""usage"', true],
  ['"usage\\"', false],
  ['"usbge""usage"', true],
])('%s mentions usage: %s', (text, expected) => {
  const bytes = Buffer.from(`"usage"${text}"usage"`);
  expect(mentionsUsage(bytes, 7, 7 + text.length)).toBe(expected);
});
