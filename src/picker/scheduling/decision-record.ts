import type { EndpointSnapshot } from './interface/endpoint-snapshot';

/** Verdict on an endpoint that no filter removed. */
export const KEPT = -1;
/** Verdict on a ready endpoint outside of the proxy's subset. */
export const OUTSIDE_SUBSET = -2;
/** Verdict on an endpoint that was no candidate: not ready, or no endpoint at all. */
export const NOT_READY = -3;
/** Marks candidates while a filter's verdict is written. */
const STAYS = -4;

/** One endpoint in a decision, for people. */
export interface EndpointExplanation {
  readonly endpoint: string;
  /** `kept`, `outside-subset`, `not-ready`, or the name of the filter that removed it. */
  readonly verdict: string;
  /** Score (0 to 1, after trust was applied) by scorer; empty unless kept. */
  readonly scores: Readonly<Record<string, number>>;
  readonly total: number;
  readonly trustRatio: number;
}

/**
 * Why a decision came out as it did. Columns by slot, allocated once: hand the same record to `schedule` again and again, and read it
 * before the next call.
 */
export class DecisionRecord {
  /** By slot: KEPT, OUTSIDE_SUBSET, NOT_READY or the index of the filter that removed the endpoint. */
  public verdicts = new Int16Array(0);
  /** By scorer, then by slot. */
  public scores = new Float64Array(0);
  /** Weighted sum by slot. */
  public totals = new Float64Array(0);
  /** Slots, best first; `pickedCount` of them. */
  public picked = new Int32Array(0);
  public pickedCount = 0;

  public constructor(
    public readonly filterNames: readonly string[],
    public readonly scorerNames: readonly string[],
  ) {}

  /** @internal Called by the profile for each decision. */
  public begin(snapshot: EndpointSnapshot, maxPicked: number): void {
    const { capacity } = snapshot.table;
    if (this.verdicts.length !== capacity) {
      this.verdicts = new Int16Array(capacity);
      this.scores = new Float64Array(capacity * this.scorerNames.length);
      this.totals = new Float64Array(capacity);
    }
    if (this.picked.length < maxPicked) this.picked = new Int32Array(maxPicked);
    this.verdicts.fill(NOT_READY);
    this.scores.fill(0);
    this.totals.fill(0);
    this.pickedCount = 0;
  }

  /** @internal Endpoints kept so far that are no candidates any more get `verdict`. */
  public narrow(verdict: number, candidates: Int32Array, count: number): void {
    for (let k = 0; k < count; k++) this.verdicts[candidates[k]!] = STAYS;
    for (let slot = 0; slot < this.verdicts.length; slot++) {
      if (this.verdicts[slot] === KEPT) this.verdicts[slot] = verdict;
      else if (this.verdicts[slot] === STAYS) this.verdicts[slot] = KEPT;
    }
  }

  /** The record as plain data, one entry per endpoint of the snapshot it was made for, best first. */
  public explain(snapshot: EndpointSnapshot): EndpointExplanation[] {
    const { capacity } = snapshot.table;
    return snapshot.endpoints
      .flatMap((endpoint, slot) => {
        if (endpoint === undefined) return [];
        const verdict = this.verdicts[slot]!;
        const scores =
          verdict === KEPT ? this.scorerNames.map((name, i) => [name, this.scores[i * capacity + slot]!] as const) : [];
        return [
          {
            endpoint: endpoint.hostPort,
            verdict: this.verdictName(verdict),
            scores: Object.fromEntries(scores),
            total: this.totals[slot]!,
            trustRatio: snapshot.table.trustRatio[slot]!,
          },
        ];
      })
      .sort((a, b) => Number(b.verdict === 'kept') - Number(a.verdict === 'kept') || b.total - a.total);
  }

  private verdictName(verdict: number): string {
    if (verdict === KEPT) return 'kept';
    if (verdict === OUTSIDE_SUBSET) return 'outside-subset';
    return verdict === NOT_READY ? 'not-ready' : this.filterNames[verdict]!;
  }
}
