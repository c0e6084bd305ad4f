import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import { requestApi } from '../openai/request-api';

/** Which model a request is for. */
export interface ResolvedModel {
  /** As the client named it; empty when it named none. */
  model: string;
  /** As the engine must see it. */
  targetModel: string;
}

/** Finds the model of a request; the place where a policy's aliases, classes and targets come in. */
export interface ModelResolver {
  /** Fills `into`, which is used again for every request, or refuses. */
  resolve(request: RequestFacts, into: ResolvedModel): RejectDecision | undefined;
}

const REWRITE_HEADERS = ['x-llm-d-model-name-rewrite', 'x-gateway-model-name-rewrite'];

/**
 * One pool that serves whatever it is asked for, as llm-d's picker does without rewrite rules: the model is that of the body, unless a
 * rewrite header (endpoint picker protocol, both generations, the later name first) gives the engine another one. A body of the OpenAI
 * or Anthropic API that names no model is refused.
 */
export class PassModelResolver implements ModelResolver {
  public resolve(request: RequestFacts, into: ResolvedModel): RejectDecision | undefined {
    const { scanned } = request;
    into.model = scanned?.model ?? '';
    into.targetModel = into.model;
    if (scanned !== undefined && scanned.model === undefined) {
      const api = requestApi(request.path);
      if (api !== 'passthrough') return rejection(api, 'BadRequest', 'model not found in request body', 'bad-request');
    }
    for (let i = 0; i < REWRITE_HEADERS.length; i++) {
      const rewritten = request.header(REWRITE_HEADERS[i]!);
      if (rewritten === undefined || rewritten === '') continue;
      into.targetModel = rewritten;
      return undefined;
    }
    return undefined;
  }
}
