import { ERROR_STATUS, type ErrorCode, errorBody } from '../../../../src/picker/openai/error-body';

const codes = Object.keys(ERROR_STATUS) as ErrorCode[];

test.each(codes)('%s has the shape of OpenAI', (code) => {
  const body = JSON.parse(errorBody('chat', code, 'why').toString());
  expect(Object.keys(body.error)).toEqual(['message', 'type', 'param', 'code']);
  expect(body.error.message).toBe(`inference error: ${code} - why`);
});

test.each(codes)('%s has the shape of Anthropic on its path', (code) => {
  expect(JSON.parse(errorBody('messages', code, 'why').toString())).toEqual({
    type: 'error',
    error: { type: expect.stringMatching(/_error$|^request_too_large$/), message: `inference error: ${code} - why` },
  });
});

test.each([
  ['BadRequest', 'bad_request', 'invalid_request_error'],
  ['ResourceExhausted', 'resource_exhausted', 'rate_limit_error'],
  ['Internal', 'internal', 'server_error'],
] as const)('%s carries the code %s and the type %s', (code, snake, type) => {
  expect(JSON.parse(errorBody('passthrough', code, '').toString()).error).toMatchObject({ code: snake, type });
});
