import type { ServerResponse } from 'node:http';
import { badRequest } from './api-error';
import type { Generation, Served } from './generation';
import { type Body, chatPrompt, contentText, flag, positiveInteger } from './request-fields';
import { respond, sse, type Wire } from './respond';

/** `POST /v1/messages`, Anthropic's API, as vLLM offers it. */
export function messages(served: Served, body: Body, response: ServerResponse): void {
  const maxTokens = positiveInteger(body, 'max_tokens');
  if (maxTokens === undefined) throw badRequest('max_tokens is required', 'max_tokens');
  const { prompt, lastUser } = chatPrompt(body['messages'], 'messages', contentText(body['system'], 'system'));
  const request = { model: body['model'], prompt, echoed: lastUser, maxTokens, ignoreEos: flag(body, 'ignore_eos') };
  respond(served, request, flag(body, 'stream'), messagesWire, response);
}

const messagesWire: Wire = {
  json: (generation, text, reason, usage) => ({
    ...messageObject(generation, [{ type: 'text', text }]),
    stop_reason: stopReason(reason),
    usage: { ...inputUsage(usage.promptTokens, usage.cachedTokens), output_tokens: usage.completionTokens },
  }),
  opening: (generation) =>
    event('message_start', {
      message: { ...messageObject(generation, []), usage: { ...inputUsage(generation.promptTokens, 0), output_tokens: 0 } },
    }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  delta: (_generation, text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  closing: (_generation, _text, reason, usage) =>
    event('content_block_stop', { index: 0 }) +
    event('message_delta', {
      delta: { stop_reason: stopReason(reason), stop_sequence: null },
      usage: { ...inputUsage(usage.promptTokens, usage.cachedTokens), output_tokens: usage.completionTokens },
    }) +
    event('message_stop', {}),
};

function event(type: string, fields: object): string {
  return sse({ type, ...fields }, type);
}

function messageObject(generation: Generation, content: unknown[]) {
  return {
    id: `msg_${generation.id}`,
    type: 'message',
    role: 'assistant',
    content,
    model: generation.model,
    stop_reason: null as string | null,
    stop_sequence: null,
  };
}

/** This API counts cached tokens apart from the others. */
function inputUsage(promptTokens: number, cachedTokens: number) {
  return { input_tokens: promptTokens - cachedTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: cachedTokens };
}

function stopReason(reason: 'stop' | 'length'): string {
  return reason === 'stop' ? 'end_turn' : 'max_tokens';
}
