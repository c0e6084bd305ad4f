import type { Outcome, RejectDecision, RequestFacts } from '../ext-proc/director';
import type { Identity, VerifiedClient } from '../identity/identity';
import { type RequestApi, requestApi } from '../openai/request-api';
import type { Logger } from '../telemetry/log';
import type { BudgetStore, Budgets, ReserveResult, TokenDemand } from '../tokens/budgets';
import { promptSize } from '../tokens/estimator';
import { limitAnswer, standingHeaders, storeFailureAnswer } from '../tokens/limit-answers';
import type { LimitSubject } from '../tokens/limit-rule';
import type { Denial, Reservation } from '../tokens/reservation';
import { type Admission, type Grant, WAIT } from './admission';
import type { ResolvedModel } from './model-resolver';

/** What stands between a client and the scheduler: who it is, and what it may still use. */
export class BudgetAdmission implements Admission {
  /** Undefined where clients need not be known. */
  public identity: Identity | undefined;
  /** Of the request between `identify` and `admit`, which follow each other at once. */
  private client: VerifiedClient | undefined;
  private readonly waiting = new Map<RequestFacts, Waiting>();
  private readonly subject = new ReusedSubject();

  public constructor(
    private readonly budgets: Budgets,
    public store: BudgetStore,
    private readonly log: Logger,
  ) {}

  public identify(request: RequestFacts): RejectDecision | undefined {
    this.client = undefined;
    if (this.identity === undefined) return undefined;
    const found = this.identity.identify(request, requestApi(request.path));
    if (!('kind' in found)) {
      this.client = found;
      return undefined;
    }
    this.budgets.metrics.unauthorized++;
    this.log.info({ audit: 'identity', reason: found.reason, ...asked(request) }, 'request refused: its client is not known');
    return found;
  }

  public admit(request: RequestFacts, resolved: ResolvedModel): Grant | RejectDecision | typeof WAIT | undefined {
    const { budgets, identity, store } = this;
    const client = this.client;
    if (identity === undefined && budgets.rules.length === 0) return undefined;
    const api = requestApi(request.path);
    const demand = demandOf(request, api, resolved.model);
    const grant = new BudgetGrant(budgets, store, api, demand, client, identity?.credentialHeaders);
    // what brings nothing to read makes an engine work on nothing
    if (request.body === undefined && request.method === 'GET') return grant;
    this.subject.take(request, resolved, client);
    const claim = budgets.claim(this.subject, demand);
    if (claim === undefined) return grant;
    if ('retryMs' in claim) return this.deny(request, grant, claim);
    grant.reservation = claim;
    let result: ReserveResult | undefined;
    let inCall = true;
    store.reserve(claim, (answer) => {
      if (inCall) result = answer;
      else this.onAnswer(request, grant, answer);
    });
    inCall = false;
    if (result !== undefined) return this.verdict(request, grant, result);
    this.waiting.set(request, { grant, resume: undefined });
    return WAIT;
  }

  public wait(request: RequestFacts, resume: (verdict: Grant | RejectDecision | undefined) => void): void {
    const waiting = this.waiting.get(request);
    if (waiting !== undefined) waiting.resume = resume;
  }

  public abandon(request: RequestFacts): void {
    this.waiting.delete(request);
  }

  private onAnswer(request: RequestFacts, grant: BudgetGrant, result: ReserveResult): void {
    const waiting = this.waiting.get(request);
    if (waiting?.grant !== grant) {
      // the client has gone while the store thought about it
      if (result.kind === 'granted') grant.giveBack();
      return;
    }
    this.waiting.delete(request);
    waiting.resume?.(this.verdict(request, grant, result));
  }

  private verdict(request: RequestFacts, grant: BudgetGrant, result: ReserveResult): Grant | RejectDecision {
    if (result.kind === 'granted') {
      grant.begin();
      return grant;
    }
    if (result.kind === 'denied') return this.deny(request, grant, result.denial);
    const { rule, retryMs } = result;
    this.budgets.metrics.rejected(rule, 'store-unavailable');
    const refusal = storeFailureAnswer(grant.api, retryMs);
    this.audit(request, grant, refusal, { limit: rule.name });
    return refusal;
  }

  private deny(request: RequestFacts, grant: BudgetGrant, denial: Denial): RejectDecision {
    const { rule, key, charge, remaining, retryMs } = denial;
    const refusal = limitAnswer(grant.api, denial, Date.now());
    this.budgets.metrics.rejected(rule, retryMs < 0 ? 'never-fits' : 'used-up');
    this.audit(request, grant, refusal, { limit: rule.name, key, tokens: charge, remaining, retryMs });
    return refusal;
  }

  private audit(request: RequestFacts, grant: BudgetGrant, refusal: RejectDecision, facts: object): void {
    const { client, demand } = grant;
    const line = { audit: 'limit', reason: refusal.reason, ...facts, client: client?.id, model: demand.model, ...asked(request) };
    this.log.info(line, 'request refused by a limit');
  }
}

interface Waiting {
  readonly grant: BudgetGrant;
  resume: ((verdict: Grant | RejectDecision | undefined) => void) | undefined;
}

class BudgetGrant implements Grant {
  public readonly kind = 'grant';
  public reservation: Reservation | undefined;

  public constructor(
    private readonly budgets: Budgets,
    private readonly store: BudgetStore,
    public readonly api: RequestApi,
    public readonly demand: TokenDemand,
    public readonly client: VerifiedClient | undefined,
    public readonly removeHeaders: readonly string[] | undefined,
  ) {}

  public get wantsUsage(): boolean {
    return this.reservation !== undefined;
  }

  public get answerHeaders(): readonly string[] | undefined {
    const tightest = this.reservation?.tightest;
    return tightest === undefined ? undefined : standingHeaders(this.api, tightest, Date.now());
  }

  public begin(): void {
    if (this.reservation !== undefined) this.budgets.granted(this.reservation);
  }

  public settle(outcome: Outcome): void {
    const { budgets, demand, client, reservation } = this;
    const actual = budgets.settlement(reservation, demand, client?.id, outcome);
    if (reservation !== undefined) this.store.settle(reservation, actual);
  }

  public release(): void {
    const { reservation, budgets } = this;
    if (reservation === undefined) return;
    reservation.rules.forEach((rule, i) => {
      budgets.metrics.settled(rule, reservation.charges[i]!, 0);
    });
    this.giveBack();
  }

  /** Before it was counted as granted. */
  public giveBack(): void {
    const { reservation } = this;
    if (reservation !== undefined) this.store.settle(reservation, new Array<number>(reservation.rules.length).fill(0));
  }
}

/** One object for all requests. */
export class ReusedSubject implements LimitSubject {
  public client: string | undefined;
  public tenant: string | undefined;
  public apiKey: string | undefined;
  public model = '';
  public pool = '';
  private request: RequestFacts | undefined;

  /** The pool is the one that was chosen first: which one has room is known only behind admission. */
  public take(request: RequestFacts, resolved: ResolvedModel, client: VerifiedClient | undefined): void {
    this.request = request;
    this.client = client?.id;
    this.tenant = client?.tenant;
    this.apiKey = client?.keyName;
    this.model = resolved.model;
    this.pool = resolved.attempts[0]!.pool.name;
  }

  public header(name: string): string | undefined {
    return this.request?.header(name);
  }
}

/** What a request asks of limits, before an engine has counted it. */
export function demandOf(request: RequestFacts, api: RequestApi, model: string): TokenDemand {
  const { body, scanned } = request;
  if (body === undefined) {
    // a body that the proxy does not show is at least as long as it says
    const length = Number(request.header('content-length') ?? 0);
    return { model, textBytes: Number.isSafeInteger(length) ? length : 0, media: 0, maxTokens: -1, generates: generates(api) };
  }
  // nobody knows what the bodies of other paths are to an engine; it may say so itself
  if (api === 'passthrough') return { model, textBytes: 0, media: 0, maxTokens: -1, generates: false };
  const { textBytes, media } = promptSize(body, 0, body.length);
  return { model, textBytes, media, maxTokens: scanned?.maxTokens ?? -1, generates: generates(api) };
}

function generates(api: RequestApi): boolean {
  return api !== 'embeddings' && api !== 'passthrough';
}

function asked(request: RequestFacts): object {
  return { requestId: request.header('x-request-id'), path: request.path.split('?')[0] };
}
