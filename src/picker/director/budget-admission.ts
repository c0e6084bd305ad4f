import type { RejectDecision, RequestFacts } from '../ext-proc/director';
import type { Identity, VerifiedClient } from '../identity/identity';
import type { ModelAccess } from '../identity/model-access';
import { requestApi } from '../openai/request-api';
import type { Logger } from '../telemetry/log';
import type { BudgetStore, Budgets, ReserveResult } from '../tokens/budgets';
import { limitAnswer, storeFailureAnswer } from '../tokens/limit-answers';
import type { Denial } from '../tokens/reservation';
import { type Admission, type Grant, WAIT } from './admission';
import { BudgetGrant } from './budget-grant';
import { GatewayLimits } from './gateway-limits';
import { demandOf, ReusedSubject } from './limit-request';
import type { ResolvedModel } from './model-resolver';
import type { AskingClient } from './policy-model-resolver';

/** What stands between a client and the scheduler: who it is, and what it may still use. */
export class BudgetAdmission implements Admission, AskingClient {
  /** Undefined where clients need not be known. */
  public identity: Identity | undefined;
  /** Undefined where every client may use every model. */
  public access: ModelAccess | undefined;
  /** Those that the gateway itself enforces. */
  public gatewayLimits = new GatewayLimits([], []);
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

  public get clientId(): string | undefined {
    return this.client?.id;
  }

  /** Whether the client of the request at hand may know of the model. */
  public mayUse(model: string): boolean {
    return this.access === undefined || this.access.mayUse(this.client, model);
  }

  public admit(request: RequestFacts, resolved: ResolvedModel): Grant | RejectDecision | typeof WAIT | undefined {
    const { budgets, gatewayLimits, identity, store } = this;
    const client = this.client;
    if (identity === undefined && budgets.rules.length === 0 && gatewayLimits.isEmpty) return undefined;
    const api = requestApi(request.path);
    const demand = demandOf(request, api, resolved.model);
    const grant = new BudgetGrant(budgets, store, api, demand, client, identity?.credentialHeaders);
    // what brings nothing to read makes an engine work on nothing
    if (request.body === undefined && request.method === 'GET') return grant;
    this.subject.take(request, resolved, client);
    grant.gatewayShare = gatewayLimits.shareOf(this.subject);
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
    this.audit(request, grant, refusal, { limit: rule.name, key, [rule.unit]: charge, remaining, retryMs });
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

function asked(request: RequestFacts): object {
  return { requestId: request.header('x-request-id'), path: request.path.split('?')[0] };
}
