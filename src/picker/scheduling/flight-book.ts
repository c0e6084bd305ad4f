import type { CircuitBreaker } from './circuit-breaker';
import type { Flight, FlightOutcome } from './flight';
import type { EndpointSnapshot } from './interface/endpoint-snapshot';
import type { EndpointTable } from './interface/endpoint-table';
import type { LearnedSpeed } from './learned-speed';

/** Keeps the columns that the picker fills from its own requests. Every count that a flight adds it takes away again, exactly once. */
export class FlightBook {
  public constructor(
    private readonly speed: LearnedSpeed,
    private readonly breaker: CircuitBreaker,
  ) {}

  public departed(table: EndpointTable, flight: Flight): void {
    const { slot, uncachedTokens, outputTokens } = flight;
    flight.queued = hasQueue(table, slot);
    table.inFlight[slot] = table.inFlight[slot]! + 1;
    table.sinceReport[slot] = table.sinceReport[slot]! + 1;
    table.promptTokensInFlight[slot] = table.promptTokensInFlight[slot]! + uncachedTokens;
    table.prefillTokens[slot] = table.prefillTokens[slot]! + uncachedTokens;
    table.outputTokensInFlight[slot] = table.outputTokensInFlight[slot]! + outputTokens;
  }

  /** The answer begins: its prompt has been computed. */
  public answered(table: EndpointTable, flight: Flight): void {
    if (flight.started) return;
    flight.started = true;
    if (!isCurrent(table, flight)) return;
    flight.queued ||= hasQueue(table, flight.slot);
    subtract(table.prefillTokens, flight.slot, flight.uncachedTokens);
  }

  public settled(table: EndpointTable, flight: Flight, outcome: FlightOutcome | undefined, nowMs: number): void {
    if (!isCurrent(table, flight)) return;
    const { slot } = flight;
    this.answered(table, flight);
    if (outcome !== undefined) {
      this.speed.learn(table, flight, outcome, nowMs, batchOf(table, slot));
      this.breaker.record(table, slot, outcome, nowMs);
    }
    table.inFlight[slot] = table.inFlight[slot]! - 1;
    table.sinceReport[slot] = table.sinceReport[slot]! - 1;
    subtract(table.promptTokensInFlight, slot, flight.uncachedTokens);
    subtract(table.outputTokensInFlight, slot, flight.outputTokens);
    // sums of fractions leave crumbs, which an idle endpoint must not keep
    if (table.inFlight[slot] === 0) {
      table.promptTokensInFlight[slot] = 0;
      table.prefillTokens[slot] = 0;
      table.outputTokensInFlight[slot] = 0;
    }
  }
}

/** Begins to count anew for every endpoint that has reported since, and notes when an endpoint came. */
export function followReports({ table, ready }: EndpointSnapshot, nowMs: number): void {
  const { updatedAtMs, reportSeenAtMs, sinceReport, admittedAtMs, waiting, running, waitingBefore, queueSeen } = table;
  for (let k = 0; k < ready.length; k++) {
    const slot = ready[k]!;
    if (admittedAtMs[slot] === 0) admittedAtMs[slot] = nowMs;
    const reportedAtMs = updatedAtMs[slot]!;
    if (reportedAtMs === reportSeenAtMs[slot]) continue;
    reportSeenAtMs[slot] = reportedAtMs;
    sinceReport[slot] = 0;
    queueSeen[slot] = Math.min(waiting[slot]!, waitingBefore[slot]!);
    waitingBefore[slot] = waiting[slot]!;
    const isFull = queueSeen[slot]! > 0 && running[slot]! > 0;
    if (isFull || running[slot]! > table.atOnce[slot]!) table.atOnce[slot] = running[slot]!;
    if (isFull) table.fullAtMs[slot] = nowMs;
  }
}

/**
 * Requests on an endpoint: what it reported, corrected by what was sent and settled since, and never fewer than the replicas have under way.
 * Reports also count the requests of others; between two reports only the correction keeps everyone from taking the same short queue.
 */
export function loadOf(table: EndpointTable, slot: number): number {
  const reported = table.waiting[slot]! + table.running[slot]! + table.sinceReport[slot]!;
  const known = inFlightAt(table, slot);
  return reported > known ? reported : known;
}

/** Requests that the endpoint works on at once: those that do not wait for a place. */
function batchOf(table: EndpointTable, slot: number): number {
  return Math.max(0, loadOf(table, slot) - table.queueSeen[slot]!);
}

/** Requests wait there, by the last report, or because more were sent since than it worked on when it had a queue. */
function hasQueue(table: EndpointTable, slot: number): boolean {
  return table.waiting[slot]! > 0 || (table.fullAtMs[slot]! > 0 && loadOf(table, slot) > table.atOnce[slot]!);
}

/** Requests under way at an endpoint, of this picker and of its other replicas. */
export function inFlightAt({ inFlight, peerInFlight }: EndpointTable, slot: number): number {
  return inFlight[slot]! + peerInFlight[slot]!;
}

/** Prompt tokens in line there, of all replicas. */
export function prefillTokensAt({ prefillTokens, peerPrefillTokens }: EndpointTable, slot: number): number {
  return prefillTokens[slot]! + peerPrefillTokens[slot]!;
}

/** Tokens that the answers under way there will probably have, of all replicas. */
export function outputTokensAt({ outputTokensInFlight, peerOutputTokens }: EndpointTable, slot: number): number {
  return outputTokensInFlight[slot]! + peerOutputTokens[slot]!;
}

/** Tokens of prompts and answers under way there, of all replicas: what they will fill of the KV cache. */
export function tokensInFlightAt(table: EndpointTable, slot: number): number {
  return table.promptTokensInFlight[slot]! + table.peerPromptTokens[slot]! + outputTokensAt(table, slot);
}

function isCurrent({ generation }: EndpointTable, flight: Flight): boolean {
  return generation[flight.slot] === flight.generation;
}

function subtract(column: Float64Array, slot: number, amount: number): void {
  const rest = column[slot]! - amount;
  column[slot] = rest > 0 ? rest : 0;
}
