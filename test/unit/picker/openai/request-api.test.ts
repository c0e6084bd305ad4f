import { requestApi } from '../../../../src/picker/openai/request-api';

test.each([
  ['', 'completions'],
  ['/v1/chat/completions', 'chat'],
  ['/openai/v1/chat/completions?x=/v1/embeddings', 'chat'],
  ['/v1/chat/completions/render', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/completions/render', 'completions'],
  ['/v1/images/generations', 'completions'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/responses', 'responses'],
  ['/v1/messages', 'messages'],
  ['/v1/models', 'passthrough'],
  ['/tokenize', 'passthrough'],
  ['/', 'passthrough'],
])('the path %s means %s', (path, api) => {
  expect(requestApi(path)).toBe(api);
});
