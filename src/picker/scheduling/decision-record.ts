import type { EndpointSnapshot } from './interface/endpoint-snapshot';
import type { CacheState } from './interface/plugins';

/** Verdict on an endpoint that no filter removed. */
export const KEPT = -1;
/** Verdict on a ready endpoint outside of the proxy's subset. */
export const OUTSIDE_SUBSET = -2;
/** Verdict on an endpoint that was no candidate: not ready, or no endpoint at all. */
export const NOT_READY = -3;
/** Verdict on an endpoint that keeps failing; see `circuit-breaker.ts`. */
export const EJECTED = -5;
/** Marks candidates while a filter's verdict is written. */
const STAYS = -4;

/** What the parts of a profile are called, and how much its scorers count. */
export interface ProfileNames {
  readonly profile: string;
  readonly filters: readonly string[];
  readonly scorers: readonly string[];
  readonly weights: readonly number[];
}

/** What a decision saw of an endpoint. */
export interface EndpointInputs {
  readonly waiting: number;
  readonly running: number;
  readonly kvUsageRatio: number;
  readonly inFlight: number;
  /** Of other replicas. */
  readonly peerInFlight: number;
  readonly peerPrefillTokens: number;
  /** Sent less settled since the last report. */
  readonly sinceReport: number;
  readonly prefillTokens: number;
  readonly promptTokensInFlight: number;
  readonly outputTokensInFlight: number;
  readonly cachedTokens: number;
  /** What else is guessed of its cache; absent where nobody looks. */
  readonly cache?: CacheState;
  readonly slownessRatio: number;
  readonly failuresInRow: number;
}

/** Who tells a record of caches. */
interface CacheKnowledge {
  cachedTokens(slot: number): number;
  cacheState(slot: number): CacheState | undefined;
}

/** One endpoint in a decision, for people. */
export interface EndpointExplanation {
  /** `ip:port`. */
  readonly endpoint: string;
  /** For example the pod's name. */
  readonly name: string;
  /** Profile that ran. */
  readonly profile: string;
  /** `kept`, `outside-subset`, `not-ready`, `ejected`, or the name of the filter that removed it. */
  readonly verdict: string;
  /** Place in the chosen list, from 1; absent when it was not chosen. */
  readonly chosen?: number;
  /** Others had the same total as the best, so chance decided among them; absent when not. */
  readonly tied?: true;
  readonly inputs: EndpointInputs;
  /** By scorer; empty unless kept. */
  readonly weights: Readonly<Record<string, number>>;
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

  /** By slot, as the decision saw it. */
  private inputs: EndpointInputs[] = [];

  /** @param names of the profile that ran last */
  public constructor(public names: ProfileNames) {}

  /** @internal Called by the profile for each decision. */
  public begin(names: ProfileNames, snapshot: EndpointSnapshot, maxPicked: number): void {
    const { capacity } = snapshot.table;
    this.names = names;
    if (this.verdicts.length !== capacity || this.scores.length !== capacity * names.scorers.length) {
      this.verdicts = new Int16Array(capacity);
      this.scores = new Float64Array(capacity * names.scorers.length);
      this.totals = new Float64Array(capacity);
    }
    this.inputs = [];
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

  /** @internal Notes what the decision saw, before it changes it. */
  public see({ table, endpoints }: EndpointSnapshot, caches: CacheKnowledge): void {
    this.inputs = endpoints.map((endpoint, slot) => {
      const isCandidate = endpoint !== undefined && this.verdicts[slot] === KEPT;
      const cache = isCandidate ? caches.cacheState(slot) : undefined;
      return {
        waiting: table.waiting[slot]!,
        running: table.running[slot]!,
        kvUsageRatio: table.kvUsageRatio[slot]!,
        inFlight: table.inFlight[slot]!,
        peerInFlight: table.peerInFlight[slot]!,
        peerPrefillTokens: table.peerPrefillTokens[slot]!,
        sinceReport: table.sinceReport[slot]!,
        prefillTokens: table.prefillTokens[slot]!,
        promptTokensInFlight: table.promptTokensInFlight[slot]!,
        outputTokensInFlight: table.outputTokensInFlight[slot]!,
        cachedTokens: isCandidate ? caches.cachedTokens(slot) : 0,
        ...(cache === undefined ? {} : { cache }),
        slownessRatio: table.slownessRatio[slot]!,
        failuresInRow: table.failuresInRow[slot]!,
      };
    });
  }

  /** The record as plain data, one entry per endpoint of the snapshot it was made for, best first. */
  public explain(snapshot: EndpointSnapshot): EndpointExplanation[] {
    const { capacity } = snapshot.table;
    const { profile, scorers, weights } = this.names;
    const picked = [...this.picked.subarray(0, this.pickedCount)];
    const kept = snapshot.endpoints.flatMap((endpoint, slot) =>
      endpoint !== undefined && this.verdicts[slot] === KEPT ? [this.totals[slot]!] : [],
    );
    const best = Math.max(...kept);
    const isTie = picked.length > 0 && kept.filter((total) => total === best).length > 1;
    return snapshot.endpoints
      .flatMap((endpoint, slot): EndpointExplanation[] => {
        if (endpoint === undefined) return [];
        const verdict = this.verdicts[slot]!;
        const byScorer = (value: (i: number) => number): Record<string, number> =>
          verdict === KEPT ? Object.fromEntries(scorers.map((name, i) => [name, value(i)])) : {};
        const rank = picked.indexOf(slot);
        return [
          {
            endpoint: endpoint.hostPort,
            name: endpoint.name,
            profile,
            verdict: this.verdictName(verdict),
            ...(rank === -1 ? {} : { chosen: rank + 1 }),
            ...(isTie && verdict === KEPT && this.totals[slot] === best ? { tied: true } : {}),
            inputs: this.inputs[slot]!,
            weights: byScorer((i) => weights[i]!),
            scores: byScorer((i) => this.scores[i * capacity + slot]!),
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
    if (verdict === EJECTED) return 'ejected';
    return verdict === NOT_READY ? 'not-ready' : this.names.filters[verdict]!;
  }
}
