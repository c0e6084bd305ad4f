import type { ServerResponse } from 'node:http';
import { tokenize } from '../core/tokenizer';
import { onePrompt } from './api-completions';
import { resolveModel, type Served } from './generation';
import { type Body, chatPrompt } from './request-fields';
import { sendJson } from './respond';

// Routers that hash tokens ask an engine for those of a request. vLLM answers with all that its own engine would be told; they read this field.

/** `POST /v1/chat/completions/render`: the tokens of the prompt, nothing is generated. */
export function renderChat(served: Served, body: Body, response: ServerResponse): void {
  resolveModel(served, body['model']);
  sendJson(response, 200, rendered(chatPrompt(body['messages'], 'messages').prompt));
}

/** `POST /v1/completions/render`: the same, as a list with one entry for each prompt. */
export function renderCompletion(served: Served, body: Body, response: ServerResponse): void {
  resolveModel(served, body['model']);
  sendJson(response, 200, [rendered(onePrompt(body['prompt']))]);
}

function rendered(prompt: string): { readonly token_ids: number[] } {
  // a vocabulary counts from 0
  return { token_ids: Array.from(tokenize(prompt).ids, (id) => id >>> 0) };
}
