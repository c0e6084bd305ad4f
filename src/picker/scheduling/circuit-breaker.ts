import type { FlightOutcome } from './flight';
import type { EndpointTable } from './interface/endpoint-table';

/** Failures in a row that eject an endpoint; Envoy's outlier detection has the same default. */
export const FAILURES_TO_EJECT = 5;
/** First ejection; each further one in a row lasts twice as long. */
export const FIRST_EJECTION_MS = 5_000;
export const MAX_EJECTION_MS = 300_000;
/** At most this share of the candidates is left out. Beyond it the fault is rather in the requests, or everywhere. */
export const MAX_EJECTED_SHARE = 0.5;

/** True for an answer that says more about the engine than about the request: no answer at all, or 5xx but 501. */
export function isFailure({ status, cause }: FlightOutcome): boolean {
  if (status === 0) return cause === 'error' || cause === 'natural';
  return status >= 500 && status !== 501;
}

/**
 * Ejects endpoints whose requests fail one after the other, for a growing time. After it one request at a time may try the endpoint; the
 * first good answer brings it back, a failure ejects it again.
 */
export function recordOutcome(table: EndpointTable, slot: number, outcome: FlightOutcome, nowMs: number): void {
  if (isFailure(outcome)) {
    const failures = table.failuresInRow[slot]! + 1;
    table.failuresInRow[slot] = failures;
    const onProbation = table.ejections[slot]! > 0;
    // requests that were under way when it was ejected say nothing new
    if (nowMs < table.ejectedUntilMs[slot]! || (failures < FAILURES_TO_EJECT && !onProbation)) return;
    table.ejectedUntilMs[slot] = nowMs + Math.min(MAX_EJECTION_MS, FIRST_EJECTION_MS * 2 ** table.ejections[slot]!);
    table.ejections[slot] = Math.min(30, table.ejections[slot]! + 1);
    return;
  }
  if (outcome.status < 200 || outcome.status >= 500 || nowMs < table.ejectedUntilMs[slot]!) return;
  table.failuresInRow[slot] = 0;
  table.ejections[slot] = 0;
}

/** Moves the candidates that may be used to the front and returns how many; all of them where too many would be left out. */
export function withoutEjected(table: EndpointTable, candidates: Int32Array, count: number, nowMs: number): number {
  let out = 0;
  for (let k = 0; k < count; k++) if (isOut(table, candidates[k]!, nowMs)) out++;
  if (out === 0 || out > count * MAX_EJECTED_SHARE) return count;
  let kept = 0;
  for (let k = 0; k < count; k++) if (!isOut(table, candidates[k]!, nowMs)) candidates[kept++] = candidates[k]!;
  return kept;
}

function isOut({ ejections, ejectedUntilMs, inFlight }: EndpointTable, slot: number, nowMs: number): boolean {
  return ejections[slot]! > 0 && (nowMs < ejectedUntilMs[slot]! || inFlight[slot]! > 0);
}
