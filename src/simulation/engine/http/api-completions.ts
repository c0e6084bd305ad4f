import type { ServerResponse } from 'node:http';
import { openAiUsage } from './api-chat';
import { badRequest } from './api-error';
import type { Generation, Served, Usage } from './generation';
import { type Body, flag, includesUsage, positiveInteger, refuseSeveralChoices } from './request-fields';
import { respond, sse, type Wire } from './respond';

/** The OpenAI API's own default for this endpoint, which vLLM keeps. */
const DEFAULT_MAX_TOKENS = 16;

/** `POST /v1/completions`. */
export function completions(served: Served, body: Body, response: ServerResponse): void {
  refuseSeveralChoices(body);
  const prompt = onePrompt(body['prompt']);
  const request = {
    model: body['model'],
    prompt,
    echoed: prompt,
    maxTokens: positiveInteger(body, 'max_tokens') ?? DEFAULT_MAX_TOKENS,
    ignoreEos: flag(body, 'ignore_eos'),
  };
  respond(served, request, flag(body, 'stream'), completionWire(includesUsage(body)), response);
}

/** A text, a list with one text, or a list of token numbers, of which only number and equality matter here. */
export function onePrompt(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt;
  if (Array.isArray(prompt) && prompt.length === 1 && typeof prompt[0] === 'string') return prompt[0];
  if (Array.isArray(prompt) && prompt.length > 0 && prompt.every(Number.isInteger))
    return prompt.map(privateUseCharacter).join('');
  throw badRequest('prompt must be a string, a list with one string, or a list of token numbers', 'prompt');
}

/** A character that is a token by itself, for each token number below 65,536 a different one. */
function privateUseCharacter(token: number): string {
  return String.fromCodePoint(0xf0000 + (token & 0xffff));
}

function completionWire(withUsage: boolean): Wire {
  const chunk = (generation: Generation, choices: unknown[], usage: Usage | null = null) =>
    sse({
      id: `cmpl-${generation.id}`,
      object: 'text_completion',
      created: generation.createdSeconds,
      model: generation.model,
      choices,
      usage: usage && openAiUsage(usage),
    });
  const choice = (text: string, reason: string | null = null) => [{ index: 0, text, logprobs: null, finish_reason: reason }];
  return {
    json: (generation, text, reason, usage) => ({
      id: `cmpl-${generation.id}`,
      object: 'text_completion',
      created: generation.createdSeconds,
      model: generation.model,
      choices: choice(text, reason),
      usage: openAiUsage(usage),
    }),
    opening: () => '',
    delta: (generation, text) => chunk(generation, choice(text)),
    closing: (generation, _text, reason, usage) =>
      `${chunk(generation, choice('', reason))}${withUsage ? chunk(generation, [], usage) : ''}data: [DONE]\n\n`,
  };
}
