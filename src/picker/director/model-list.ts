import type { RejectDecision } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import { errorBody } from '../openai/error-body';

/** Path of the list, and below it of one model; with any prefix that a gateway leaves on. */
const PATH = /\/models(?:\/([^?]+))?(?:\?.*)?$/;

/**
 * Answers `GET /v1/models` and `GET /v1/models/{name}` for all pools together: an engine would only know its own.
 * @returns undefined for another request
 */
export function answerModelList(method: string, path: string, names: readonly string[]): RejectDecision | undefined {
  if (method !== 'GET') return undefined;
  const match = PATH.exec(path);
  if (match === null) return undefined;
  if (match[1] === undefined) return answer({ object: 'list', data: names.map(model) });
  const name = decoded(match[1]);
  return names.includes(name) ? answer(model(name)) : unknownModel('passthrough', name, names);
}

/** 404 with the names that would have been right. */
export function unknownModel(api: Parameters<typeof rejection>[0], name: string, names: readonly string[]): RejectDecision {
  const known =
    names.length === 0
      ? 'none'
      : names.length > 20
        ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`
        : names.join(', ');
  const detail = `there is no model '${name.slice(0, 256)}'; there are: ${known}`;
  return { ...rejection(api, 'NotFound', detail, 'unknown-model'), body: errorBody(api, 'NotFound', detail, 'model_not_found') };
}

function model(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'ai-gateway' };
}

function answer(body: object): RejectDecision {
  return {
    kind: 'reject',
    status: 200,
    reason: 'model-list',
    body: Buffer.from(JSON.stringify(body)),
    headers: ['content-type', 'application/json'],
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
