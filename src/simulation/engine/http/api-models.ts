import type { ServerResponse } from 'node:http';
import { ApiError, badRequest } from './api-error';
import type { Served } from './generation';
import type { Body } from './request-fields';
import { sendJson } from './respond';

/** `GET /v1/models`: the base model under each of its names, then the adapters. */
export function models({ engine, models: names, createdSeconds }: Served, response: ServerResponse): void {
  const root = names[0]!;
  const entry = (id: string, path: string, parent: string | null) => ({
    id,
    object: 'model',
    created: createdSeconds,
    owned_by: 'vllm',
    root: path,
    parent,
    max_model_len: engine.profile.maxModelTokens,
  });
  const data = [
    ...names.map((name) => entry(name, root, null)),
    ...engine.adapters.list().map(([name, path]) => entry(name, path, root)),
  ];
  sendJson(response, 200, { object: 'list', data });
}

/** `POST /v1/load_lora_adapter {lora_name, lora_path}`. */
export function loadAdapter({ engine, models: names }: Served, body: Body, response: ServerResponse): void {
  const name = requiredText(body, 'lora_name');
  const path = requiredText(body, 'lora_path');
  if (names.includes(name)) throw badRequest(`lora_name \`${name}\` is the name of the base model`, 'lora_name');
  engine.adapters.register(name, path);
  response.writeHead(200, { 'content-type': 'text/plain' }).end(`Success: LoRA adapter '${name}' added successfully.`);
}

/** `POST /v1/unload_lora_adapter {lora_name}`. */
export function unloadAdapter({ engine }: Served, body: Body, response: ServerResponse): void {
  const name = requiredText(body, 'lora_name');
  if (!engine.adapters.unregister(name))
    throw new ApiError(404, 'NotFoundError', `The lora adapter \`${name}\` cannot be found.`, 'lora_name');
  response.writeHead(200, { 'content-type': 'text/plain' }).end(`Success: LoRA adapter '${name}' removed successfully.`);
}

function requiredText(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw badRequest(`${name} must be a string that is not empty`, name);
  return value;
}
