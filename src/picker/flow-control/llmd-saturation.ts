import { inFlightAt } from '../scheduling/flight-book';
import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import { atOnce } from './load-saturation';
import type { Saturation } from './settings';

/**
 * llm-d's `utilization-detector`: `max(waiting / queueDepthThreshold, kv / kvCacheUtilThreshold)`. The queue is what the endpoint reported,
 * corrected by what was sent and settled since; an old report fades, where llm-d takes 200 ms of silence for saturation.
 */
export class UtilizationSaturation implements Saturation {
  public constructor(
    private readonly queueDepth: number,
    private readonly kvThreshold: number,
  ) {}

  public level(table: EndpointTable, slot: number, nowMs: number): number {
    const trust = table.trustRatio[slot]!;
    const since = table.sinceReport[slot]!;
    const reported = table.waiting[slot]!;
    // where nobody waited, what was sent since waits only beyond what can be worked on at once
    const waiting = reported > 0 ? reported + since : table.running[slot]! + since - atOnce(table, slot, nowMs);
    const queue = (trust * waiting) / this.queueDepth;
    const kv = (trust * table.kvUsageRatio[slot]!) / this.kvThreshold;
    return kv > queue ? kv : queue > 0 ? queue : 0;
  }
}

/** llm-d's `concurrency-detector`: requests or tokens that the replicas have under way, against what an endpoint may have. */
export class ConcurrencySaturation implements Saturation {
  public constructor(
    /** Infinity where requests do not count. */
    private readonly maxRequests: number,
    /** Infinity where tokens do not count. */
    private readonly maxTokens: number,
    private readonly tokensAt: (table: EndpointTable, slot: number) => number,
  ) {}

  public level(table: EndpointTable, slot: number): number {
    const requests = inFlightAt(table, slot) / this.maxRequests;
    if (this.maxTokens === Number.POSITIVE_INFINITY) return requests;
    const tokens = this.tokensAt(table, slot) / this.maxTokens;
    return requests > tokens ? requests : tokens;
  }
}
