import type { RequestFacts } from '../ext-proc/director';
import type { VerifiedClient } from '../identity/identity';
import type { RequestApi } from '../openai/request-api';
import { firstReady } from '../scheduling/first-ready';
import type { TokenDemand } from '../tokens/budgets';
import { promptSize } from '../tokens/estimator';
import type { LimitSubject } from '../tokens/limit-rule';
import type { ResolvedModel } from './model-resolver';

/** What limits count a request by; one object for all requests. */
export class ReusedSubject implements LimitSubject {
  public client: string | undefined;
  public tenant: string | undefined;
  public apiKey: string | undefined;
  public model = '';
  public pool = '';
  private request: RequestFacts | undefined;
  private verified: VerifiedClient | undefined;

  /** The pool is the one that would serve the request now; `Grant.servedBy` tells where it went in the end. */
  public take(request: RequestFacts, resolved: ResolvedModel, client: VerifiedClient | undefined): void {
    this.request = request;
    this.verified = client;
    this.client = client?.id;
    this.tenant = client?.tenant;
    this.apiKey = client?.keyName;
    this.model = resolved.model;
    this.pool = firstReady(resolved.attempts).pool.name;
  }

  public claim(name: string): string | undefined {
    return this.verified?.claims?.get(name);
  }

  public header(name: string): string | undefined {
    return this.request?.header(name);
  }
}

/** How large a request is, as far as its body tells. */
export function demandOf(request: RequestFacts, api: RequestApi, model: string): TokenDemand {
  const { body, scanned } = request;
  const unseen = { model, media: 0, maxTokens: -1, choices: 1, isBoundable: false };
  if (body === undefined) {
    // a body that the proxy does not show is at least as long as it says
    const length = Number(request.header('content-length') ?? 0);
    return { ...unseen, textBytes: Number.isSafeInteger(length) ? length : 0, generates: generates(api) };
  }
  // nobody knows what the bodies of other paths are to an engine; it may say so itself
  if (api === 'passthrough') return { ...unseen, textBytes: 0, generates: false };
  const { textBytes, media } = promptSize(body, 0, body.length);
  const isGenerated = generates(api);
  return {
    model,
    textBytes,
    media,
    maxTokens: scanned?.maxTokens ?? -1,
    choices: api === 'chat' || api === 'completions' ? (scanned?.choices ?? 1) : 1,
    generates: isGenerated,
    isBoundable: isGenerated,
  };
}

function generates(api: RequestApi): boolean {
  return api !== 'embeddings' && api !== 'passthrough';
}
