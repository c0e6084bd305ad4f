import type { ServerResponse } from 'node:http';
import type { Generation, Served, Usage } from './generation';
import { type Body, chatPrompt, flag, includesUsage, positiveInteger, refuseSeveralChoices } from './request-fields';
import { respond, sse, type Wire } from './respond';

/** `POST /v1/chat/completions`. */
export function chatCompletions(served: Served, body: Body, response: ServerResponse): void {
  refuseSeveralChoices(body);
  const { prompt, lastUser } = chatPrompt(body['messages'], 'messages');
  const request = {
    model: body['model'],
    prompt,
    echoed: lastUser,
    // The newer name wins where a client sends both, as in vLLM.
    maxTokens: positiveInteger(body, 'max_completion_tokens') ?? positiveInteger(body, 'max_tokens'),
    ignoreEos: flag(body, 'ignore_eos'),
  };
  respond(served, request, flag(body, 'stream'), chatWire(includesUsage(body)), response);
}

function chatWire(withUsage: boolean): Wire {
  const chunk = (generation: Generation, choices: unknown[], usage: Usage | null = null) =>
    sse({
      id: `chatcmpl-${generation.id}`,
      object: 'chat.completion.chunk',
      created: generation.createdSeconds,
      model: generation.model,
      choices,
      usage: usage && openAiUsage(usage),
    });
  const choice = (delta: unknown, reason: string | null = null) => [{ index: 0, delta, logprobs: null, finish_reason: reason }];
  return {
    json: (generation, text, reason, usage) => ({
      id: `chatcmpl-${generation.id}`,
      object: 'chat.completion',
      created: generation.createdSeconds,
      model: generation.model,
      choices: [
        { index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: reason },
      ],
      usage: openAiUsage(usage),
    }),
    opening: (generation) => chunk(generation, choice({ role: 'assistant', content: '' })),
    delta: (generation, text) => chunk(generation, choice({ content: text })),
    closing: (generation, _text, reason, usage) =>
      `${chunk(generation, choice({}, reason))}${withUsage ? chunk(generation, [], usage) : ''}data: [DONE]\n\n`,
  };
}

export function openAiUsage(usage: Usage): unknown {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}
