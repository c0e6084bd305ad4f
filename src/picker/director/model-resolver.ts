import type { ModelRewrites } from '../datastore/model-rewrites';
import type { Objectives } from '../datastore/objectives';
import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import { rejection } from '../ext-proc/rejection';
import { requestApi } from '../openai/request-api';
import type { Attempt, PoolRoute } from './pool-route';

/**
 * What settled a request's model: the policy's class header, the body's `model`, the policy's default model, an InferenceModelRewrite, a
 * rewrite header, or nothing but the request itself, where one pool serves whatever it is asked for.
 */
export type ModelRule = 'class-header' | 'body' | 'default-model' | 'rewrite-rule' | 'rewrite-header' | 'as-asked';

/** Which model a request is for. */
export interface ResolvedModel {
  /** As clients know it; empty when the request names none. */
  model: string;
  /** @default no model was found */
  rule?: ModelRule | undefined;
  /** As the engine must see it, where the attempt does not say. */
  targetModel: string;
  /** The pools to try, the next one when a pool has no ready endpoint; never empty. */
  attempts: readonly Attempt[];
  /** What keeps the request at its target, where several share the model. @default chance chose it, or there is only one */
  session?: string | undefined;
  /** Higher goes first, below 0 is shed first. @default 0 */
  priority?: number;
  /** Whose requests are served in turn with those of others. @default nobody's in particular */
  fairnessId?: string;
}

/** Finds the model of a request; the place where a policy's aliases, classes and targets come in. */
export interface ModelResolver {
  /** Fills `into`, which is used again for every request, or refuses. */
  resolve(request: RequestFacts, into: ResolvedModel): RejectDecision | undefined;
}

const OBJECTIVE_HEADERS = ['x-llm-d-inference-objective', 'x-gateway-inference-objective'] as const;
const FAIRNESS_HEADERS = ['x-llm-d-inference-fairness-id', 'x-gateway-inference-fairness-id'] as const;
const REWRITE_HEADERS = ['x-llm-d-model-name-rewrite', 'x-gateway-model-name-rewrite'];

/**
 * One pool that serves whatever it is asked for, as llm-d's picker does: the model is that of the body, unless a rule of an
 * InferenceModelRewrite, or else a rewrite header (endpoint picker protocol, both generations, the later name first), gives the engine
 * another one. A body of the OpenAI or Anthropic API that names no model is refused, unless a rule supplies one.
 */
export class PassModelResolver implements ModelResolver {
  private readonly attempts: readonly Attempt[];

  /**
   * @param rewrites rules of the cluster @default none
   * @param objectives of the cluster: the headers that name one, and a tenant, are then believed @default those headers mean nothing
   */
  public constructor(
    pool: PoolRoute,
    private readonly rewrites?: ModelRewrites,
    private readonly objectives?: Objectives,
  ) {
    this.attempts = [{ pool, targetModel: undefined }];
  }

  public resolve(request: RequestFacts, into: ResolvedModel): RejectDecision | undefined {
    const { scanned } = request;
    into.model = scanned?.model ?? '';
    into.targetModel = into.model;
    into.attempts = this.attempts;
    into.rule = 'as-asked';
    into.session = undefined;
    into.priority = this.objectives?.priorityOf(firstOf(request, OBJECTIVE_HEADERS)) ?? 0;
    into.fairnessId = this.objectives === undefined ? '' : (firstOf(request, FAIRNESS_HEADERS) ?? '');
    const api = scanned !== undefined && scanned.model === undefined ? requestApi(request.path) : undefined;
    // a body of another kind without a model is none that a model belongs into
    if (this.rewrites !== undefined && scanned !== undefined && api !== 'passthrough') {
      const ruled = this.rewrites.targetOf(into.model);
      if (ruled !== undefined) {
        into.targetModel = ruled;
        into.rule = 'rewrite-rule';
        return undefined;
      }
    }
    if (api !== undefined && api !== 'passthrough')
      return rejection(api, 'BadRequest', 'model not found in request body', 'bad-request');
    for (let i = 0; i < REWRITE_HEADERS.length; i++) {
      const rewritten = request.header(REWRITE_HEADERS[i]!);
      if (rewritten === undefined || rewritten === '') continue;
      into.targetModel = rewritten;
      into.rule = 'rewrite-header';
      return undefined;
    }
    return undefined;
  }
}

function firstOf(request: RequestFacts, [later, earlier]: readonly [string, string]): string | undefined {
  return request.header(later) ?? request.header(earlier);
}
