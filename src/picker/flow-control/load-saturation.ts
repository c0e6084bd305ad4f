import { inFlightAt, loadOf } from '../scheduling/flight-book';
import type { EndpointTable } from '../scheduling/interface/endpoint-table';
import type { Saturation } from './settings';

/** Level of an endpoint that is as busy as it can be without a queue. */
export const BUSY_LEVEL = 0.9;
/** Requests at once of an endpoint that has never reported: vLLM's default of `--max-num-seqs`. */
const UNREPORTED_AT_ONCE = 256;
/** The least that an endpoint which never had a queue is taken to work on at once. */
const FIRST_AT_ONCE = 32;
/** After this time without a queue, an endpoint may be able to do twice what it could when it had one. */
const RECOVERY_MS = 60_000;

/**
 * How full an endpoint is, from what it works on and what waits there, corrected by what was sent and settled since it reported:
 *
 *     level = max(0.9 · min(1, load / atOnce) + 0.1 · max(0, load − atOnce) / queueDepth, trust · kv / kvThreshold)
 *
 * so 0.9 is busy without a queue, and 1 is a queue of `queueDepth`. `atOnce` is what the endpoint was seen to work on when it had a queue.
 * It grows with the cube of the time since (as TCP's window does, RFC 9438), because what fits depends on the requests; before there was
 * any queue it is twice what was seen running, 32 at least. An old report fades into the replicas' own count (`trust.ts`): silence is no load.
 */
export class LoadSaturation implements Saturation {
  public constructor(
    private readonly queueDepth: number,
    private readonly kvThreshold: number,
  ) {}

  public level(table: EndpointTable, slot: number, nowMs: number): number {
    const trust = table.trustRatio[slot]!;
    const known = inFlightAt(table, slot);
    const load = known + trust * (loadOf(table, slot) - known);
    const fits = atOnce(table, slot, nowMs);
    const queued = load - fits;
    const busy = queued > 0 ? BUSY_LEVEL + ((1 - BUSY_LEVEL) * queued) / this.queueDepth : (BUSY_LEVEL * load) / fits;
    const kv = (trust * table.kvUsageRatio[slot]!) / this.kvThreshold;
    return kv > busy ? kv : busy;
  }
}

/** Requests that an endpoint can probably work on at once. */
export function atOnce({ atOnce: seen, fullAtMs, updatedAtMs }: EndpointTable, slot: number, nowMs: number): number {
  if (updatedAtMs[slot] === 0) return UNREPORTED_AT_ONCE;
  const full = fullAtMs[slot]!;
  if (full === 0) return Math.max(FIRST_AT_ONCE, 2 * seen[slot]!);
  return seen[slot]! * (1 + ((nowMs - full) / RECOVERY_MS) ** 3);
}
