import { BodyScan, scanBody } from '../../../../src/picker/openai/body-scanner';
import type { RequestApi } from '../../../../src/picker/openai/request-api';

function scan(api: RequestApi, body: string | Buffer): BodyScan {
  const result = new BodyScan();
  scanBody(api, Buffer.from(body), result);
  return result;
}

const problem = (text: string) => `error unmarshaling request bodyMap: ${text}`;

describe('the body scanner', () => {
  test('takes what routing needs from the top level', () => {
    const body = JSON.stringify({
      messages: [{ role: 'user', content: 'the "model": "x", "stream": true' }],
      model: 'm',
      stream: true,
      max_tokens: 7,
      cache_salt: 's',
      stream_options: { include_usage: true },
    });
    const found = scan('chat', body);
    expect(found).toMatchObject({ error: undefined, model: 'm', stream: true, maxTokens: 7, cacheSalt: 's', includeUsage: true });
    expect(body.slice(found.modelStart, found.modelEnd)).toBe('"m"');
    expect(JSON.parse(body.slice(found.promptStart, found.promptEnd))).toHaveLength(1);
  });

  test('starts afresh with each body', () => {
    const found = new BodyScan();
    scanBody('completions', Buffer.from('{"model":"m","prompt":"p","stream":true,"max_tokens":1,"cache_salt":"s"}'), found);
    scanBody('responses', Buffer.from('{}'), found);
    expect(found).toEqual(new BodyScan());
  });

  test.each<[RequestApi, string, string]>([
    ['completions', '{"prompt":"p"}', '"p"'],
    ['completions', '{"prompt":[1,2]}', '[1,2]'],
    ['embeddings', '{"input":["a"]}', '["a"]'],
    ['embeddings', '{"messages":["a"]}', '["a"]'],
    ['responses', '{"input":"a"}', '"a"'],
    ['messages', '{"system":"s","messages":["a"]}', '["a"]'],
    ['chat', '{"prompt":"no","messages":["a"]}', '["a"]'],
  ])('finds the prompt of %s in %s', (api, body, prompt) => {
    const found = scan(api, body);
    expect(found.error).toBeUndefined();
    expect(body.slice(found.promptStart, found.promptEnd)).toBe(prompt);
  });

  test.each<[RequestApi, string, string | undefined]>([
    ['chat', '{"messages":[ ]}', 'invalid chat completions request: must have valid messages field'],
    ['chat', '{"messages":null}', 'invalid chat completions request: must have valid messages field'],
    ['chat', '{"messages":"hello"}', 'invalid chat completions request: must have valid messages field'],
    ['chat', '{}', 'invalid chat completions request: must have valid messages field'],
    ['messages', '{"prompt":"p"}', 'invalid messages request: must have at least one message'],
    ['messages', '{"messages":"hello"}', 'invalid messages request: must have at least one message'],
    ['completions', '{"prompt":""}', 'invalid completions request: must have prompt field'],
    ['completions', '{"prompt":5}', 'invalid completions request: must have prompt field'],
    ['embeddings', '{"messages":"hello"}', 'invalid embeddings request: must have input field'],
    ['completions', '{"prompt_embeds":"AA=="}', undefined],
    ['embeddings', '{}', 'invalid embeddings request: must have input field'],
    ['responses', '{"prompt":{"id":"p"}}', undefined],
    ['chat', '', problem('unexpected end of JSON input')],
    ['chat', '{"a":tru', problem('unexpected end of JSON input')],
    ['chat', '{"a":nul1}', problem('unexpected character at byte 8')],
    ['chat', '{"a" 1}', problem('unexpected character at byte 5')],
    ['chat', '["messages"]', problem('the body is not a JSON object')],
    ['chat', `${'['.repeat(10_001)}`, problem('nested deeper than 10000')],
    ['passthrough', 'anything', undefined],
  ])('says of %s %s: %s', (api, body, error) => {
    expect(scan(api, body).error).toBe(error);
  });

  test.each([
    '{"model":"","messages":["a"]}',
    '{"model":5,"messages":["a"]}',
    '{"messages":["a"]}',
  ])('finds no model in %s', (body) => {
    expect(scan('chat', body).error).toBeUndefined();
    expect(scan('chat', body).model).toBeUndefined();
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(scan('chat', Buffer.from([0x7b, 0xff])).error).toBe(problem('the body is not UTF-8'));
  });

  test('accepts nesting up to the limit', () => {
    const body = `{"messages":["x"],"a":${'['.repeat(9_999)}${']'.repeat(9_999)}}`;
    expect(scan('chat', body).error).toBeUndefined();
  });

  test.each([
    ['{"max_tokens":1,"max_output_tokens":2,"max_completion_tokens":3}', 3],
    ['{"max_tokens":1,"max_output_tokens":2}', 2],
    ['{"max_tokens":1e2}', 100],
    ['{"max_tokens":-1}', -1],
    ['{"max_tokens":1.5}', -1],
    ['{"max_tokens":"1"}', -1],
    ['{"max_tokens":null}', -1],
    ['{"max_completion_tokens":null,"max_tokens":4}', 4],
  ])('reads the token limit of %s as %d', (body, maxTokens) => {
    expect(scan('responses', body).maxTokens).toBe(maxTokens);
  });

  test.each([
    ['{"model":"a","model":"b"}', 'b'],
    ['{"mod\\u0065l":"a"}', 'a'],
    ['{"model":"a\\/b \\u00e9"}', 'a/b é'],
    ['{"model":null}', undefined],
    ['{"a":{"model":"inner"}}', undefined],
    ['{"model":"a","model":1}', undefined],
  ])('reads the model of %s as %s', (body, model) => {
    expect(scan('responses', body).model).toBe(model);
  });
});
