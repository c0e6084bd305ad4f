import { randomUUID } from 'node:crypto';
import type { Engine, Refusal } from '../core/engine';
import { Sequence } from '../core/sequence';
import { tokenize } from '../core/tokenizer';
import { type AnswerOptions, answerTo } from './answer';
import { ApiError, badRequest } from './api-error';

/** What the HTTP shell knows of the engine behind it. */
export interface Served {
  readonly engine: Engine;
  /** Names of the base model; the first is its root. */
  readonly models: readonly string[];
  readonly answers: AnswerOptions;
  /** Unix seconds at which it started. */
  readonly createdSeconds: number;
  /** Of faults: uniform in [0, 1), from the engine's seed. */
  readonly chance: () => number;
}

export interface GenerationRequest {
  readonly model: unknown;
  readonly prompt: string;
  /** What echo mode repeats. */
  readonly echoed: string;
  /** Undefined: up to the model's limit. */
  readonly maxTokens: number | undefined;
  readonly ignoreEos: boolean;
}

export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export interface GenerationListener {
  token(text: string): void;
  finished(reason: 'stop' | 'length', usage: Usage): void;
}

/** One answer in the making. */
export class Generation {
  readonly id = randomUUID();
  readonly createdSeconds = Math.floor(Date.now() / 1000);
  private sequence: Sequence | undefined;

  constructor(
    private readonly served: Served,
    readonly model: string,
    readonly promptTokens: number,
  ) {}

  /** Checks the request, hands it to the engine and, later, tells the listener of every token; throws `ApiError`. */
  static start(served: Served, request: GenerationRequest, listener: GenerationListener): Generation {
    const { engine, answers } = served;
    const { model, adapter } = resolveModel(served, request.model);
    const promptIds = tokenize(request.prompt).ids;
    const { maxModelTokens } = engine.profile;
    const limit = request.maxTokens ?? Math.max(1, maxModelTokens - promptIds.length);
    if (promptIds.length + limit > maxModelTokens) throw tooLong(maxModelTokens, promptIds.length, limit);

    const answer = answerTo(request.prompt, request.echoed, limit, request.ignoreEos, answers);
    const generation = new Generation(served, model, promptIds.length);
    const sequence = engine.submit({
      promptTokens: promptIds,
      outputTokens: answer.tokens.ids,
      finishReason: answer.finishReason,
      adapter,
      maxTokens: request.maxTokens,
      onToken: (index) => listener.token(answer.tokens.pieces[index]!),
      onFinish: ({ finishReason, promptTokens, cachedTokens, emittedTokens }) => {
        if (finishReason === undefined || finishReason === 'abort') return;
        listener.finished(finishReason, { promptTokens, cachedTokens, completionTokens: emittedTokens });
      },
    });
    if (!(sequence instanceof Sequence)) throw refused(sequence);
    generation.sequence = sequence;
    return generation;
  }

  abort(): void {
    if (this.sequence) this.served.engine.abort(this.sequence);
  }
}

/** The base model or an adapter; vLLM answers 404 for any other name. */
export function resolveModel(served: Served, model: unknown): { model: string; adapter?: string } {
  if (typeof model !== 'string' || model === '') throw badRequest('model must be a string', 'model');
  if (served.models.includes(model)) return { model };
  if (served.engine.adapters.has(model)) return { model, adapter: model };
  throw new ApiError(404, 'NotFoundError', `The model \`${model}\` does not exist.`, 'model');
}

function tooLong(limitTokens: number, promptTokens: number, outputTokens: number): ApiError {
  return badRequest(
    `the model's context length is ${limitTokens} tokens, but ${promptTokens + outputTokens} were asked for: ` +
      `${promptTokens} in the prompt and ${outputTokens} for the completion`,
  );
}

function refused(refusal: Refusal): ApiError {
  switch (refusal) {
    case 'loading':
      return new ApiError(503, 'ServiceUnavailableError', 'the model is being loaded');
    case 'queue-full':
      return new ApiError(429, 'RateLimitError', 'the queue of waiting requests is full');
    case 'empty':
      return badRequest('the prompt is empty');
    default:
      return badRequest(`the engine refused the request: ${refusal}`);
  }
}
