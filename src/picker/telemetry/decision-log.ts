import { RingBuffer } from '../../shared/ring-buffer';
import type { ModelRule, ResolvedModel } from '../director/model-resolver';
import type { RequestFacts } from '../ext-proc/director';
import type { EndpointExplanation } from '../scheduling/decision-record';

/** One decision, for people. */
export interface LoggedDecision {
  id: number;
  /** Wall clock. */
  atMs: number;
  /** `x-request-id`, where somebody reads the log. */
  requestId: string | undefined;
  model: string;
  /** What settled the model; undefined where none was found. */
  rule: ModelRule | undefined;
  targetModel: string;
  /** `ip:port[,ip:port…]`, or the reason of the refusal. */
  result: string;
  /** Only while somebody reads the log. */
  explanation: readonly EndpointExplanation[] | undefined;
}

const KEPT_DECISIONS = 256;
/** Readers get explanations for this long after they last asked. */
const ARMED_MS = 60_000;
/** Explanations cost more than a decision, so only some are explained. */
const MIN_EXPLAIN_INTERVAL_MS = 50;

/** The last decisions. Entries are used again, so that logging allocates nothing after the first few hundred requests. */
export class DecisionLog {
  private readonly entries = new RingBuffer<LoggedDecision>(KEPT_DECISIONS);
  private spare: LoggedDecision | undefined;
  private armedUntilMs = Number.NEGATIVE_INFINITY;
  private isArmed = false;
  private explainedAtMs = 0;

  /** True when this decision should be explained. */
  public wantsExplanation(nowMs: number): boolean {
    this.isArmed = nowMs < this.armedUntilMs;
    if (!this.isArmed || nowMs - this.explainedAtMs < MIN_EXPLAIN_INTERVAL_MS) return false;
    this.explainedAtMs = nowMs;
    return true;
  }

  /** Explains decisions from here on for a minute. */
  public arm(nowMs: number): void {
    this.armedUntilMs = nowMs + ARMED_MS;
    this.isArmed = true;
  }

  public add(
    request: Pick<RequestFacts, 'id' | 'header'>,
    { model, rule }: Pick<ResolvedModel, 'model' | 'rule'>,
    targetModel: string,
    result: string,
    explanation?: readonly EndpointExplanation[],
  ): void {
    const entry = this.spare ?? newEntry();
    entry.id = request.id;
    entry.atMs = Date.now();
    entry.requestId = this.isArmed || explanation !== undefined ? request.header('x-request-id') : undefined;
    entry.model = model;
    entry.rule = rule;
    entry.targetModel = targetModel;
    entry.result = result;
    entry.explanation = explanation;
    this.spare = this.entries.push(entry);
  }

  /** The latest decision of a request; undefined for one that is not there any more, or whose id was not noted. */
  public find(requestId: string): LoggedDecision | undefined {
    return this.list().find((entry) => entry.requestId === requestId);
  }

  /** Newest first. */
  public list(): LoggedDecision[] {
    return [...this.entries].reverse();
  }
}

function newEntry(): LoggedDecision {
  return {
    id: 0,
    atMs: 0,
    requestId: undefined,
    model: '',
    rule: undefined,
    targetModel: '',
    result: '',
    explanation: undefined,
  };
}
