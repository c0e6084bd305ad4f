import type { Outcome, RejectDecision, RequestFacts } from '../ext-proc/director';
import type { Flow, Waiting } from '../flow-control/flow';
import { FlowControl, type FlowControlHost } from '../flow-control/flow-control';
import type { Refusal } from '../flow-control/outcome';
import type { Ask } from '../flow-control/queued-request';
import type { FlowControlSettings } from '../flow-control/settings';
import { requestApi } from '../openai/request-api';
import type { Logger } from '../telemetry/log';
import { type Admission, type Grant, WAIT } from './admission';
import { EvictableGrant } from './evictable-grant';
import { flowAnswer } from './flow-answers';
import type { ResolvedModel } from './model-resolver';

type Resume = (verdict: Grant | RejectDecision | undefined) => void;

export interface QueueAdmissionHost {
  readonly log: Logger;
  readonly nowMs: () => number;
  /** `flow.tick()` is wanted at that time. */
  wakeAt(atMs: number): void;
  /** Somebody waits now: reports of the endpoints matter. */
  onQueued?(): void;
}

/**
 * The queue behind identity and budgets: what they refuse never waits, and what they set aside is given back when the queue refuses.
 * Priority and tenant come from the policy and the verified client; see `ResolvedModel` for what stands in for them without a policy.
 */
export class QueueAdmission implements Admission, FlowControlHost<Ticket> {
  /** Undefined while no configuration asks for it. */
  public flow: FlowControl<Ticket> | undefined;
  /** Priorities of tenants that the policy ranks otherwise than their models. */
  private tenants: ReadonlyMap<string, number> = new Map();
  /** Those who wait here, and those who wait for the inner admission (their place is undefined). */
  private readonly tickets = new Map<RequestFacts, Ticket>();
  private readonly ask = new ReusedAsk();
  /** Requests that may be ended, ever. */
  private began = 0;

  public constructor(
    private readonly inner: Admission,
    private readonly host: QueueAdmissionHost,
  ) {}

  /** Follows this configuration from here on. @param settings undefined for no flow control: whoever waits goes on */
  public use(settings: FlowControlSettings | undefined, tenants: ReadonlyMap<string, number> = new Map()): void {
    this.tenants = tenants;
    if (settings !== undefined && this.flow !== undefined) this.flow.use(settings);
    else if (settings !== undefined) this.flow = new FlowControl(settings, this, this.host.nowMs);
    else {
      const { flow } = this;
      this.flow = undefined;
      flow?.use({ ...flow.limits, queues: false });
    }
  }

  public identify(request: RequestFacts): RejectDecision | undefined {
    return this.inner.identify?.(request);
  }

  public admit(request: RequestFacts, resolved: ResolvedModel): Grant | RejectDecision | typeof WAIT | undefined {
    const verdict = this.inner.admit(request, resolved);
    if (verdict === WAIT) {
      this.tickets.set(request, { request, resolved: { ...resolved }, place: undefined, grant: undefined, resume: undefined });
      return WAIT;
    }
    return verdict?.kind === 'reject' ? verdict : this.enter(request, resolved, verdict, undefined);
  }

  public wait(request: RequestFacts, resume: Resume): void {
    const ticket = this.tickets.get(request);
    if (ticket === undefined) return;
    ticket.resume = resume;
    if (ticket.place === undefined) this.inner.wait(request, (late) => this.onAdmitted(ticket, late));
  }

  public abandon(request: RequestFacts): void {
    const ticket = this.tickets.get(request);
    if (ticket === undefined) return;
    this.tickets.delete(request);
    if (ticket.place === undefined) {
      this.inner.abandon(request);
      return;
    }
    this.flow?.leave(ticket.place);
    ticket.grant?.release();
  }

  public ticket(): Ticket {
    const { request, resolved, grant, resume } = this.ask;
    this.host.onQueued?.();
    return { request, resolved: { ...resolved }, grant, resume, place: undefined };
  }

  public dispatch(ticket: Ticket, flow: Flow<Ticket>): void {
    this.tickets.delete(ticket.request);
    ticket.resume?.(this.leave(ticket.grant, flow, ticket.request, ticket.resolved));
  }

  public refuse(ticket: Ticket, refusal: Refusal): void {
    this.tickets.delete(ticket.request);
    ticket.resume?.(this.answer(ticket.request, ticket.resolved, ticket.grant, refusal));
  }

  public wakeAt(atMs: number): void {
    this.host.wakeAt(atMs);
  }

  private onAdmitted(ticket: Ticket, late: Grant | RejectDecision | undefined): void {
    const { request, resolved, resume } = ticket;
    this.tickets.delete(request);
    const verdict = late?.kind === 'reject' ? late : this.enter(request, resolved, late, resume);
    if (verdict !== WAIT) resume!(verdict);
  }

  private enter(
    request: RequestFacts,
    resolved: ResolvedModel,
    grant: Grant | undefined,
    resume: Resume | undefined,
  ): Grant | RejectDecision | typeof WAIT | undefined {
    const { flow, ask } = this;
    const client = grant?.client;
    if (client !== undefined) {
      const tenant = client.tenant ?? client.id;
      resolved.fairnessId = tenant;
      resolved.priority = this.tenants.get(tenant) ?? resolved.priority ?? 0;
    }
    // what brings nothing to read makes an engine work on nothing
    if (flow === undefined || (request.body === undefined && request.method === 'GET')) return grant;
    ask.take(request, resolved, grant, resume);
    const entered = flow.enter(ask);
    if (entered.kind === 'grant') return this.leave(grant, entered, request, resolved);
    if (entered.kind === 'refusal') return this.answer(request, resolved, grant, entered);
    entered.ticket.place = entered;
    this.tickets.set(request, entered.ticket);
    return WAIT;
  }

  /** Both leaves in one; without an inner one no object is made. */
  private leave(grant: Grant | undefined, flow: Flow<Ticket>, request: RequestFacts, resolved: ResolvedModel): Grant {
    const both = grant === undefined ? flow : new QueuedGrant(grant, flow);
    if (flow.evicts === 'none') return both;
    const said = { ...resolved };
    const refusal = (why: Refusal): RejectDecision => this.audited(request, said, grant, why);
    return new EvictableGrant(both, flow, { refusal, order: ++this.began, beganMs: this.host.nowMs() });
  }

  private answer(request: RequestFacts, resolved: ResolvedModel, grant: Grant | undefined, refusal: Refusal): RejectDecision {
    grant?.release();
    return this.audited(request, resolved, grant, refusal);
  }

  private audited(request: RequestFacts, resolved: ResolvedModel, grant: Grant | undefined, refusal: Refusal): RejectDecision {
    const { reason, pool, band, waitedMs, retryMs } = refusal;
    const decision = flowAnswer(requestApi(request.path), refusal);
    const { model, priority, fairnessId } = resolved;
    const line = {
      audit: 'queue',
      reason,
      pool,
      band,
      priority,
      tenant: fairnessId || undefined,
      client: grant?.client?.id,
      model,
    };
    const times = { waitedMs: Math.round(waitedMs), retryMs: Math.round(retryMs), status: decision.status };
    const asked = { requestId: request.header('x-request-id'), path: request.path.split('?')[0] };
    this.host.log.info({ ...line, ...times, ...asked }, 'request refused by flow control');
    return decision;
  }
}

/** What is known of a request that waits. */
export interface Ticket {
  readonly request: RequestFacts;
  readonly resolved: ResolvedModel;
  readonly grant: Grant | undefined;
  resume: Resume | undefined;
  /** Undefined while the inner admission has not decided. */
  place: Waiting<Ticket> | undefined;
}

/** What the queue asks of a request; one object for all. */
class ReusedAsk implements Ask {
  public attempts: ResolvedModel['attempts'] = [];
  public priority = 0;
  public fairnessId = '';
  public model = '';
  public targetModel = '';
  public resolved!: ResolvedModel;
  public grant: Grant | undefined;
  public resume: Resume | undefined;
  public request!: RequestFacts;

  public take(request: RequestFacts, resolved: ResolvedModel, grant: Grant | undefined, resume: Resume | undefined): void {
    this.request = request;
    this.resolved = resolved;
    this.grant = grant;
    this.resume = resume;
    this.attempts = resolved.attempts;
    this.priority = resolved.priority ?? 0;
    this.fairnessId = resolved.fairnessId ?? '';
    this.model = resolved.model;
    this.targetModel = resolved.targetModel;
  }

  public get bytes(): number {
    return this.request.body?.length ?? 0;
  }

  /** Orders the requests of one tenant, and nobody else's. */
  public get sloMs(): number {
    return positive(this.request.header('x-llm-d-slo-ttft-ms') ?? this.request.header('x-slo-ttft-ms'));
  }

  /** The SDKs of OpenAI and Anthropic say how long they wait. */
  public get patienceMs(): number {
    return positive(this.request.header('x-stainless-timeout')) * 1e3;
  }
}

/** Minus one for what is no number above 0. */
function positive(text: string | undefined): number {
  const value = text === undefined ? Number.NaN : Number(text);
  return value > 0 && value < Number.POSITIVE_INFINITY ? value : -1;
}

class QueuedGrant implements Grant {
  public readonly kind = 'grant';

  public constructor(
    private readonly inner: Grant,
    private readonly flow: Flow<Ticket>,
  ) {}

  public get client(): Grant['client'] {
    return this.inner.client;
  }

  public get removeHeaders(): readonly string[] | undefined {
    return this.inner.removeHeaders;
  }

  public get setHeaders(): Grant['setHeaders'] {
    return this.inner.setHeaders;
  }

  public get wantsUsage(): boolean {
    return this.inner.wantsUsage || this.flow.wantsUsage;
  }

  public get answerHeaders(): readonly string[] | undefined {
    return this.inner.answerHeaders;
  }

  public get maxTokens(): number | undefined {
    return this.inner.maxTokens;
  }

  public servedBy(pool: string): void {
    this.inner.servedBy?.(pool);
  }

  public settle(outcome: Outcome): void {
    this.inner.settle(outcome);
    this.flow.settle(outcome);
  }

  public answerMetadata(outcome: Outcome): ReturnType<NonNullable<Grant['answerMetadata']>> {
    return this.inner.answerMetadata?.(outcome);
  }

  public release(): void {
    this.inner.release();
    this.flow.release();
  }
}
