import { RingBuffer } from '../../shared/ring-buffer';
import type { EndpointExplanation } from '../scheduling/decision-record';

/** One decision, for people. */
export interface LoggedDecision {
  id: number;
  /** Wall clock. */
  atMs: number;
  model: string;
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
  private armedUntilMs = 0;
  private explainedAtMs = 0;

  /** True when this decision should be explained. */
  public wantsExplanation(nowMs: number): boolean {
    if (nowMs >= this.armedUntilMs || nowMs - this.explainedAtMs < MIN_EXPLAIN_INTERVAL_MS) return false;
    this.explainedAtMs = nowMs;
    return true;
  }

  /** Explains decisions from here on for a minute. */
  public arm(nowMs: number): void {
    this.armedUntilMs = nowMs + ARMED_MS;
  }

  public add(id: number, model: string, targetModel: string, result: string, explanation?: readonly EndpointExplanation[]): void {
    const entry = this.spare ?? { id: 0, atMs: 0, model: '', targetModel: '', result: '', explanation: undefined };
    entry.id = id;
    entry.atMs = Date.now();
    entry.model = model;
    entry.targetModel = targetModel;
    entry.result = result;
    entry.explanation = explanation;
    this.spare = this.entries.push(entry);
  }

  /** Newest first. */
  public list(): LoggedDecision[] {
    return [...this.entries].reverse();
  }
}
