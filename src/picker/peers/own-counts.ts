import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';
import { type EndpointKeys, keyNumber } from './endpoint-keys';
import type { EndpointCounts } from './wire-format';

/** Rounds for which an endpoint that has left is still told as empty: longer than a slow connection is put up with. */
const FAREWELL_ROUNDS = 100;

/** An endpoint as it was told last, and in which round. */
interface Told extends EndpointCounts {
  readonly round: number;
}

/**
 * What this picker has under way, as rounds of changes. A connection is told what has changed since the round that it was told last, so one that
 * is slow gets fewer and later changes, and never a queue of old ones.
 */
export class OwnCounts {
  private readonly told = new Map<number, Told>();
  private round = 0;

  public constructor(private readonly keys: EndpointKeys) {}

  /** Looks for changes. @returns the round to ask `since` for next */
  public look({ table, endpoints }: EndpointSnapshot): number {
    const { words } = this.keys;
    this.round++;
    for (let slot = 0; slot < endpoints.length; slot++) {
      if (endpoints[slot] === undefined) continue;
      this.note(this.round, {
        keyLow: words[2 * slot]!,
        keyHigh: words[2 * slot + 1]!,
        inFlight: table.inFlight[slot]!,
        prefillTokens: table.prefillTokens[slot]!,
        promptTokens: table.promptTokensInFlight[slot]!,
        outputTokens: table.outputTokensInFlight[slot]!,
      });
    }
    return this.round;
  }

  /** Endpoints that have left have nothing under way. Called when the endpoints have changed. */
  public forgetLeft(): void {
    for (const [key, { keyLow, keyHigh, inFlight, round }] of this.told) {
      if (this.keys.slotOf(key) !== undefined) continue;
      if (inFlight === 0 && round < this.round - FAREWELL_ROUNDS) this.told.delete(key);
      // the round at hand may have been told already
      else this.note(this.round + 1, { keyLow, keyHigh, inFlight: 0, prefillTokens: 0, promptTokens: 0, outputTokens: 0 });
    }
  }

  /** What has changed after a round. */
  public since(round: number): EndpointCounts[] {
    return [...this.told.values()].filter((each) => each.round > round && (round > 0 || each.inFlight > 0));
  }

  private note(round: number, counts: EndpointCounts): void {
    const key = keyNumber(counts.keyLow, counts.keyHigh);
    const before = this.told.get(key);
    if (
      before !== undefined &&
      before.inFlight === counts.inFlight &&
      before.prefillTokens === counts.prefillTokens &&
      before.promptTokens === counts.promptTokens &&
      before.outputTokens === counts.outputTokens
    )
      return;
    if (before === undefined && counts.inFlight === 0) return;
    this.told.set(key, { ...counts, round });
  }
}
