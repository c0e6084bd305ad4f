import type { ServerResponse } from 'node:http';
import { badRequest } from './api-error';
import type { Generation, Served, Usage } from './generation';
import { type Body, chatPrompt, flag, positiveInteger } from './request-fields';
import { respond, sse, type Wire } from './respond';

/** `POST /v1/responses`: text in, text out. */
export function responses(served: Served, body: Body, response: ServerResponse): void {
  const instructions = body['instructions'];
  if (instructions !== undefined && instructions !== null && typeof instructions !== 'string') {
    throw badRequest('instructions must be a string', 'instructions');
  }
  const input = body['input'];
  const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  const { prompt, lastUser } = chatPrompt(messages, 'input', instructions ?? undefined);
  const request = {
    model: body['model'],
    prompt,
    echoed: lastUser,
    maxTokens: positiveInteger(body, 'max_output_tokens'),
    ignoreEos: flag(body, 'ignore_eos'),
  };
  respond(served, request, flag(body, 'stream'), responsesWire(), response);
}

function responsesWire(): Wire {
  let sequence = 0;
  const event = (type: string, fields: object) => sse({ type, sequence_number: sequence++, ...fields }, type);
  const place = (generation: Generation) => ({ item_id: `msg_${generation.id}`, output_index: 0, content_index: 0 });

  return {
    json: finishedObject,
    opening: (generation) =>
      event('response.created', { response: responseObject(generation, 'in_progress', []) }) +
      event('response.in_progress', { response: responseObject(generation, 'in_progress', []) }) +
      event('response.output_item.added', { output_index: 0, item: messageItem(generation, 'in_progress', []) }) +
      event('response.content_part.added', { ...place(generation), part: textPart('') }),
    delta: (generation, text) => event('response.output_text.delta', { ...place(generation), delta: text, logprobs: [] }),
    closing: (generation, text, reason, usage) =>
      event('response.output_text.done', { ...place(generation), text, logprobs: [] }) +
      event('response.content_part.done', { ...place(generation), part: textPart(text) }) +
      event('response.output_item.done', { output_index: 0, item: messageItem(generation, status(reason), [textPart(text)]) }) +
      event(`response.${status(reason)}`, { response: finishedObject(generation, text, reason, usage) }),
  };
}

function finishedObject(generation: Generation, text: string, reason: 'stop' | 'length', usage: Usage): unknown {
  return {
    ...responseObject(generation, status(reason), [messageItem(generation, status(reason), [textPart(text)])]),
    incomplete_details: reason === 'length' ? { reason: 'max_output_tokens' } : null,
    usage: {
      input_tokens: usage.promptTokens,
      input_tokens_details: { cached_tokens: usage.cachedTokens },
      output_tokens: usage.completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.promptTokens + usage.completionTokens,
    },
  };
}

/** An answer cut by its limit is `incomplete` in this API. */
function status(reason: 'stop' | 'length'): 'completed' | 'incomplete' {
  return reason === 'stop' ? 'completed' : 'incomplete';
}

function responseObject(generation: Generation, state: string, output: unknown[]) {
  return {
    id: `resp_${generation.id}`,
    object: 'response',
    created_at: generation.createdSeconds,
    model: generation.model,
    status: state,
    error: null,
    incomplete_details: null as unknown,
    output,
    parallel_tool_calls: false,
    tool_choice: 'none',
    tools: [],
    text: { format: { type: 'text' } },
  };
}

function messageItem(generation: Generation, state: string, content: unknown[]): unknown {
  return { type: 'message', id: `msg_${generation.id}`, role: 'assistant', status: state, content };
}

function textPart(text: string): unknown {
  return { type: 'output_text', text, annotations: [] };
}
