import type { FlightOutcome } from './flight';
import type { EndpointTable } from './interface/endpoint-table';

/** When endpoints that fail are left out, and for how long. */
export interface CircuitBreakerOptions {
  /** Failures in a row that eject an endpoint; Envoy's outlier detection has the same default. */
  readonly failuresToEject: number;
  /** First ejection; each further one in a row lasts twice as long. */
  readonly firstEjectionSeconds: number;
  /** Longest ejection. */
  readonly maxEjectionSeconds: number;
  /** At most this share of the candidates is left out, 0 to 1. Beyond it the fault is rather in the requests, or everywhere. */
  readonly maxEjectedRatio: number;
}

export const DEFAULT_CIRCUIT_BREAKER: CircuitBreakerOptions = {
  failuresToEject: 5,
  firstEjectionSeconds: 5,
  maxEjectionSeconds: 300,
  maxEjectedRatio: 0.5,
};

/** True for an answer that says more about the engine than about the request: no answer at all, or 5xx but 501. */
export function isFailure({ status, cause }: FlightOutcome): boolean {
  if (status === 0) return cause === 'error' || cause === 'natural';
  return status >= 500 && status !== 501;
}

/**
 * Ejects endpoints whose requests fail one after the other, for a growing time. After it one request at a time may try the endpoint; the
 * first good answer brings it back, a failure ejects it again. Its memory is the table.
 */
export class CircuitBreaker {
  private readonly firstEjectionMs: number;
  private readonly maxEjectionMs: number;

  public constructor(private readonly options: CircuitBreakerOptions = DEFAULT_CIRCUIT_BREAKER) {
    this.firstEjectionMs = options.firstEjectionSeconds * 1e3;
    this.maxEjectionMs = options.maxEjectionSeconds * 1e3;
  }

  public record(table: EndpointTable, slot: number, outcome: FlightOutcome, nowMs: number): void {
    if (isFailure(outcome)) {
      const failures = table.failuresInRow[slot]! + 1;
      table.failuresInRow[slot] = failures;
      const onProbation = table.ejections[slot]! > 0;
      // requests that were under way when it was ejected say nothing new
      if (nowMs < table.ejectedUntilMs[slot]! || (failures < this.options.failuresToEject && !onProbation)) return;
      table.ejectedUntilMs[slot] = nowMs + Math.min(this.maxEjectionMs, this.firstEjectionMs * 2 ** table.ejections[slot]!);
      table.ejections[slot] = Math.min(30, table.ejections[slot]! + 1);
      return;
    }
    if (outcome.status < 200 || outcome.status >= 500 || nowMs < table.ejectedUntilMs[slot]!) return;
    table.failuresInRow[slot] = 0;
    table.ejections[slot] = 0;
  }

  /** Moves the candidates that may be used to the front and returns how many; all of them where too many would be left out. */
  public withoutEjected(table: EndpointTable, candidates: Int32Array, count: number, nowMs: number): number {
    let out = 0;
    for (let k = 0; k < count; k++) if (isOut(table, candidates[k]!, nowMs)) out++;
    // never all of them, whatever the share
    if (out === 0 || out === count || out > count * this.options.maxEjectedRatio) return count;
    let kept = 0;
    for (let k = 0; k < count; k++) if (!isOut(table, candidates[k]!, nowMs)) candidates[kept++] = candidates[k]!;
    return kept;
  }
}

function isOut({ ejections, ejectedUntilMs, inFlight }: EndpointTable, slot: number, nowMs: number): boolean {
  return ejections[slot]! > 0 && (nowMs < ejectedUntilMs[slot]! || inFlight[slot]! > 0);
}
