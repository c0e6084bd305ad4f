import type { Clock } from '../../shared/clock';
import type { Decision, Director, Outcome, RejectDecision, RequestFacts, RouteDecision } from '../ext-proc/director';
import type { DynamicMetadata } from '../ext-proc/processing-response';
import { rejection } from '../ext-proc/rejection';
import { requestApi } from '../openai/request-api';
import type { DecisionRecord, EndpointExplanation } from '../scheduling/decision-record';
import type { Flight } from '../scheduling/flight';
import type { SchedulingRequest } from '../scheduling/interface/scheduling-request';
import { ProfileOutcome } from '../scheduling/profile';
import type { ScheduleResult, Scheduler } from '../scheduling/scheduler';
import { DECISION_HEADER, decisionHeader, EXPLAIN_HEADER } from '../telemetry/decision-header';
import type { DecisionLog } from '../telemetry/decision-log';
import type { RequestMetrics, RequestSeries } from '../telemetry/request-metrics';
import type { SchedulerMetrics } from '../telemetry/scheduler-metrics';
import { type Admission, type Grant, WAIT } from './admission';
import type { ModelResolver, ResolvedModel } from './model-resolver';

export interface DirectorParts {
  readonly scheduler: Scheduler;
  readonly models: ModelResolver;
  /** @default every request is admitted */
  readonly admission?: Admission;
  readonly requests: RequestMetrics;
  readonly scheduling: SchedulerMetrics;
  readonly decisions: DecisionLog;
  readonly clock: Clock;
  /** Told of exceptions while a request that has waited is decided; it is answered with 500. @default nobody is told */
  readonly onError?: (error: unknown) => void;
  /** `--disable-endpoint-subset-filter`. @default false */
  readonly ignoreSubset?: boolean;
  /** `--explain-requests`: requests may ask for the explanation of their decision. @default false */
  readonly explainsRequests?: boolean;
}

const DEFAULT_FAIRNESS_ID = 'default-flow';

/** Model, then admission, then an endpoint; and the books of what is under way. One object is made for a request, its decision. */
export class PickerDirector implements Director {
  private scheduler: Scheduler;
  private record: DecisionRecord;
  private readonly resolved: ResolvedModel = {
    ...{ model: '', rule: undefined, targetModel: '', attempts: [], session: undefined, priority: 0, fairnessId: '' },
  };
  private models: ModelResolver;
  private readonly facts = new ReusedRequest();

  public constructor(private readonly parts: DirectorParts) {
    this.scheduler = parts.scheduler;
    this.record = parts.scheduler.newRecord();
    this.models = parts.models;
  }

  /** Decides by another configuration over the same endpoints from here on. */
  public use(scheduler: Scheduler, models: ModelResolver): void {
    this.scheduler = scheduler;
    this.record = scheduler.newRecord();
    this.models = models;
  }

  public decide(request: RequestFacts, resume: (decision: Decision) => void): Decision | undefined {
    const { admission, clock } = this.parts;
    const startedMs = clock.nowMs();
    const stranger = admission?.identify?.(request);
    if (stranger !== undefined) return this.refuseStranger(request, stranger);
    const refusal = this.models.resolve(request, this.resolved);
    if (refusal !== undefined) return this.refuse(request, this.series(), refusal);
    const verdict = admission?.admit(request, this.resolved);
    const series = this.series();
    if (verdict !== WAIT) return this.follow(request, series, startedMs, verdict);
    // `resolved` belongs to the next request by the time this one goes on
    const resolved = { ...this.resolved };
    admission!.wait(request, (late) => {
      // whoever is being decided may be what made this one go on: he needs his own back
      const current = { ...this.resolved };
      Object.assign(this.resolved, resolved);
      const decision = this.followLate(request, series, startedMs, late);
      Object.assign(this.resolved, current);
      resume(decision);
    });
    return undefined;
  }

  public abandon(request: RequestFacts): void {
    this.parts.admission?.abandon(request);
  }

  public settle(_request: RequestFacts, decision: RouteDecision, outcome: Outcome): void {
    const routed = decision as Routed;
    this.scheduler.settle(routed.flight, outcome);
    routed.grant?.settle(outcome);
    if (outcome.handlingMs !== undefined) this.parts.scheduling.responseSeconds.observe(outcome.handlingMs / 1e3);
    const nowMs = this.parts.clock.nowMs();
    routed.series.settled(outcome, nowMs - routed.decidedMs, routed.streaming);
    this.parts.requests.pools.used(routed.pool, outcome, nowMs);
  }

  /** What the filters of the gateway hear of a request that has settled. */
  public answerMetadata(decision: RouteDecision, outcome: Outcome): DynamicMetadata | undefined {
    return (decision as Routed).grant?.answerMetadata?.(outcome);
  }

  public answered(decision: RouteDecision): void {
    this.scheduler.answered((decision as Routed).flight);
  }

  public streamed(decision: RouteDecision, gapMs: number): void {
    (decision as Routed).series.itlSeconds.observe(gapMs / 1e3);
  }

  private follow(
    request: RequestFacts,
    series: RequestSeries,
    startedMs: number,
    verdict: Grant | RejectDecision | undefined,
  ): Decision {
    if (verdict?.kind === 'reject') return this.refuse(request, series, verdict);
    let decision: Decision | undefined;
    try {
      decision = this.schedule(request, series, startedMs, verdict);
      return decision;
    } finally {
      if (decision?.kind !== 'route') verdict?.release();
    }
  }

  /** Nobody above catches what goes wrong with a request that has waited. */
  private followLate(...parts: Parameters<PickerDirector['follow']>): Decision {
    try {
      return this.follow(...parts);
    } catch (error) {
      this.parts.onError?.(error);
      const [request, series] = parts;
      const failure = rejection(requestApi(request.path), 'Internal', 'the picker failed to decide', 'internal');
      return this.refuse(request, series, failure);
    }
  }

  private schedule(request: RequestFacts, series: RequestSeries, startedMs: number, grant: Grant | undefined): Decision {
    const { parts } = this;
    const { model, attempts } = this.resolved;
    const beforeMs = parts.clock.nowMs();
    const isAsked = parts.explainsRequests === true && request.header(EXPLAIN_HEADER) !== undefined;
    const record = isAsked || parts.decisions.wantsExplanation(beforeMs) ? this.record : undefined;
    let attempt = attempts[0]!;
    let targetModel = '';
    let result: ScheduleResult | undefined;
    for (let index = 0; index < attempts.length; index++) {
      attempt = attempts[index]!;
      targetModel = attempt.targetModel ?? this.resolved.targetModel;
      this.facts.take(request, model, targetModel, parts.ignoreSubset === true);
      result = this.scheduler.schedule(this.facts, record, attempt.pool.endpoints);
      if (result.outcome !== ProfileOutcome.NO_ENDPOINTS) break;
    }
    this.facts.body = undefined;
    const decidedMs = parts.clock.nowMs();
    parts.scheduling.scheduleSeconds.observe((decidedMs - beforeMs) / 1e3);
    parts.scheduling.processingSeconds.observe((decidedMs - startedMs) / 1e3);
    const { snapshot } = attempt.pool.endpoints;
    if (result!.outcome !== ProfileOutcome.PICKED) {
      parts.scheduling.failure(targetModel);
      return this.refuse(request, series, unschedulable(request, result!.outcome), record?.explain(snapshot));
    }
    const { flight, destination, answerHeaders } = result!;
    parts.scheduling.success(targetModel, snapshot.endpoints[flight.slot]!);
    grant?.servedBy?.(attempt.pool.name);
    series.started(request.body?.length ?? 0);
    const explanation = record?.explain(snapshot);
    parts.decisions.add(request, this.resolved, targetModel, destination, explanation);
    const explained = isAsked ? [DECISION_HEADER, decisionHeader(explanation!, destination)] : undefined;
    return new Routed(
      destination,
      attempt.pool.name,
      request.scanned === undefined || targetModel === (request.scanned.model ?? '') ? undefined : targetModel,
      joined(attempt.pool.setHeaders, grant?.setHeaders),
      joined(joined(answerHeaders, grant?.answerHeaders), explained),
      flight,
      series,
      decidedMs,
      request.scanned?.stream === true,
      grant,
    );
  }

  /** Counts and logs a request that was refused before it came here: malformed, or too large. */
  public refusedUnasked(request: RequestFacts, refusal: RejectDecision): void {
    this.refuseStranger(request, refusal);
  }

  /** Counted without the model: who is not known must not choose the labels of a metric. */
  private refuseStranger(request: RequestFacts, refusal: RejectDecision): RejectDecision {
    this.resolved.model = '';
    this.resolved.rule = undefined;
    this.resolved.targetModel = '';
    return this.refuse(request, this.parts.requests.series('', '', DEFAULT_FAIRNESS_ID), refusal);
  }

  private refuse(
    request: RequestFacts,
    series: RequestSeries,
    refusal: RejectDecision,
    explanation?: readonly EndpointExplanation[],
  ): RejectDecision {
    if (refusal.status >= 400) series.refused(String(refusal.status), request.body?.length ?? 0);
    this.parts.decisions.add(request, this.resolved, this.resolved.targetModel, refusal.reason, explanation);
    return refusal;
  }

  private series(): RequestSeries {
    const { model, targetModel, priority = 0, fairnessId } = this.resolved;
    return this.parts.requests.series(model, targetModel, fairnessId || DEFAULT_FAIRNESS_ID, priority);
  }
}

/** A decision with what its settlement needs. */
class Routed implements RouteDecision {
  public readonly kind = 'route';
  /** The answer is always watched: it ends the request's time in flight, and tells its tokens. */
  public readonly observeResponse = true;
  public readonly ticket = undefined;
  public readonly removeHeaders: readonly string[] | undefined;
  public readonly wantsUsage: boolean;
  public readonly maxTokens: number | undefined;
  public readonly onCall: RouteDecision['onCall'];

  public constructor(
    public readonly destination: string,
    public readonly pool: string,
    public readonly targetModel: string | undefined,
    public readonly setHeaders: readonly string[] | undefined,
    public readonly answerHeaders: readonly string[] | undefined,
    public readonly flight: Flight,
    public readonly series: RequestSeries,
    public readonly decidedMs: number,
    public readonly streaming: boolean,
    public readonly grant: Grant | undefined,
  ) {
    this.removeHeaders = grant?.removeHeaders;
    this.wantsUsage = grant?.wantsUsage === true;
    this.maxTokens = grant?.maxTokens;
    this.onCall = grant?.onCall;
  }
}

/** The scheduler's view of a request; one object for all. */
export class ReusedRequest implements SchedulingRequest {
  public model = '';
  public targetModel = '';
  public body: Buffer | undefined;
  public promptStart = -1;
  public promptEnd = -1;
  public cacheSalt: string | undefined;
  public subset: readonly string[] | undefined;
  public maxTokens = -1;
  private request: RequestFacts | undefined;

  public header(name: string): string | undefined {
    return this.request?.header(name);
  }

  public take(request: RequestFacts, model: string, targetModel: string, ignoreSubset: boolean): void {
    const { scanned } = request;
    this.model = model;
    this.targetModel = targetModel;
    this.request = request;
    this.maxTokens = scanned?.maxTokens ?? -1;
    this.body = request.body;
    this.promptStart = scanned?.promptStart ?? -1;
    this.promptEnd = scanned?.promptEnd ?? -1;
    this.cacheSalt = scanned?.cacheSalt;
    this.subset = ignoreSubset ? undefined : request.subset;
  }
}

/** The answers of llm-d's picker (its `director.go` and `candidates.go`). */
function unschedulable(request: RequestFacts, outcome: ProfileOutcome): RejectDecision {
  const api = requestApi(request.path);
  if (outcome === ProfileOutcome.FILTERED_OUT) {
    return rejection(api, 'ResourceExhausted', 'no endpoints available for the given request', 'rejected-saturated');
  }
  if (outcome === ProfileOutcome.UNKNOWN_PROFILE) {
    return rejection(api, 'BadRequest', 'the request asks for a scheduling profile that is not configured', 'bad-request');
  }
  const where = outcome === ProfileOutcome.OUTSIDE_SUBSET ? " in the proxy's subset" : '';
  const detail = `failed to find endpoint candidates for serving the request: no endpoint is ready${where}`;
  return rejection(api, 'ServiceUnavailable', detail, 'rejected-no-endpoints');
}

function joined(first: readonly string[] | undefined, second: readonly string[] | undefined): readonly string[] | undefined {
  if (first === undefined) return second;
  return second === undefined ? first : [...first, ...second];
}
