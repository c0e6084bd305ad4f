import type { RequestApi } from './request-api';

/** Codes of the endpoint picker's errors, with their HTTP status. The names are part of the message, as in llm-d's picker. */
export const ERROR_STATUS = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  PreconditionFailed: 412,
  PayloadTooLarge: 413,
  ResourceExhausted: 429,
  Internal: 500,
  ServiceUnavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

const OPENAI_TYPES: Record<ErrorCode, string> = {
  BadRequest: 'invalid_request_error',
  Unauthorized: 'authentication_error',
  Forbidden: 'permission_error',
  NotFound: 'invalid_request_error',
  PreconditionFailed: 'invalid_request_error',
  PayloadTooLarge: 'invalid_request_error',
  ResourceExhausted: 'rate_limit_error',
  Internal: 'server_error',
  ServiceUnavailable: 'server_error',
};

const ANTHROPIC_TYPES: Record<ErrorCode, string> = {
  BadRequest: 'invalid_request_error',
  Unauthorized: 'authentication_error',
  Forbidden: 'permission_error',
  NotFound: 'not_found_error',
  PreconditionFailed: 'invalid_request_error',
  PayloadTooLarge: 'request_too_large',
  ResourceExhausted: 'rate_limit_error',
  Internal: 'api_error',
  ServiceUnavailable: 'overloaded_error',
};

/**
 * An error as the client's SDK understands it: Anthropic's shape on `/v1/messages`, OpenAI's everywhere else. The message is
 * `inference error: <Code> - <detail>`.
 * @param openaiCode OpenAI's own word for it, where it has one @default the code in snake case
 */
export function errorBody(api: RequestApi, code: ErrorCode, detail: string, openaiCode = snakeCase(code)): Buffer {
  const message = `inference error: ${code} - ${detail}`;
  const body =
    api === 'messages'
      ? { type: 'error', error: { type: ANTHROPIC_TYPES[code], message } }
      : { error: { message, type: OPENAI_TYPES[code], param: null, code: openaiCode } };
  return Buffer.from(JSON.stringify(body));
}

function snakeCase(code: ErrorCode): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (capital) => `_${capital}`).toLowerCase();
}
