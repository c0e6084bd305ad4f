import type { CircuitBreaker } from './circuit-breaker';
import { DecisionRecord, EJECTED, KEPT, OUTSIDE_SUBSET, type ProfileNames } from './decision-record';
import type { EndpointSnapshot } from './interface/endpoint-snapshot';
import type { CacheState, Filter, Picker, Producer, Scorer } from './interface/plugins';
import type { SchedulingRequest } from './interface/scheduling-request';
import { SubsetSelector } from './subset';
import { allTrusted, blendTowardMean } from './trust';

export interface NamedFilter {
  readonly name: string;
  readonly filter: Filter;
}

export interface WeightedScorer {
  readonly name: string;
  readonly scorer: Scorer;
  readonly weight: number;
}

export interface ProfileParts {
  readonly name: string;
  readonly filters: readonly NamedFilter[];
  readonly scorers: readonly WeightedScorer[];
  readonly picker: Picker;
  readonly breaker: CircuitBreaker;
  /** Those that filters and scorers use. */
  readonly producers: readonly Producer[];
}

/** How a run of a profile ended. */
export const ProfileOutcome = {
  PICKED: 0,
  /** No endpoint is ready. */
  NO_ENDPOINTS: 1,
  /** Endpoints are ready, and none of them is in the proxy's subset. */
  OUTSIDE_SUBSET: 2,
  /** A filter removed the last candidate. */
  FILTERED_OUT: 3,
  /** The request asks for a profile that is not configured. */
  UNKNOWN_PROFILE: 4,
} as const;
export type ProfileOutcome = (typeof ProfileOutcome)[keyof typeof ProfileOutcome];

/** Ready endpoints, then the subset, then filters in turn, then `Σ weight × score`, then the picker. */
export class Profile {
  public readonly name: string;
  /** Slots of the last run's choice, best first; `pickedCount` of them. */
  public readonly picked: Int32Array;
  public pickedCount = 0;

  private readonly subset = new SubsetSelector();
  /** Scratch, one element per slot; grows with the table, never per request. */
  private candidates = new Int32Array(0);
  private totals = new Float64Array(0);
  private scores = new Float64Array(0);

  private readonly names: ProfileNames;
  private readonly usesMetrics: boolean;

  public constructor(private readonly parts: ProfileParts) {
    this.name = parts.name;
    this.names = {
      profile: parts.name,
      filters: parts.filters.map(({ name }) => name),
      scorers: parts.scorers.map(({ name }) => name),
      weights: parts.scorers.map(({ weight }) => weight),
    };
    this.usesMetrics = parts.scorers.some(({ scorer }) => scorer.usesMetrics);
    this.picked = new Int32Array(parts.picker.maxNumOfEndpoints);
  }

  /** A record that fits this profile. */
  public newRecord(): DecisionRecord {
    return new DecisionRecord(this.names);
  }

  /** Tokens of the last request that an endpoint probably has cached; 0 where no producer knows. */
  public cachedTokens(slot: number): number {
    for (const producer of this.parts.producers) {
      const tokens = producer.cachedTokens?.(slot);
      if (tokens !== undefined) return tokens;
    }
    return 0;
  }

  /** What else is guessed of an endpoint's cache; undefined where no producer knows. */
  public cacheState(slot: number): CacheState | undefined {
    return this.parts.producers.find((producer) => producer.cacheState !== undefined)?.cacheState?.(slot);
  }

  /** Headers for the client of a request that went to `slot`; undefined for none. */
  public answerHeaders(snapshot: EndpointSnapshot, slot: number): readonly string[] | undefined {
    let headers: readonly string[] | undefined;
    for (const producer of this.parts.producers) {
      const added = producer.answerHeaders?.(snapshot, slot);
      if (added !== undefined) headers = headers === undefined ? added : [...headers, ...added];
    }
    return headers;
  }

  /** Chooses, and tells the producers. The record, if any, is filled on the way. */
  public run(request: SchedulingRequest, snapshot: EndpointSnapshot, nowMs: number, record?: DecisionRecord): ProfileOutcome {
    this.pickedCount = 0;
    record?.begin(this.names, snapshot, this.picked.length);
    const { ready } = snapshot;
    if (ready.length === 0) return ProfileOutcome.NO_ENDPOINTS;
    if (this.candidates.length < snapshot.table.capacity) this.grow(snapshot.table.capacity);

    const { candidates } = this;
    candidates.set(ready);
    let count = ready.length;
    if (record !== undefined) for (let k = 0; k < count; k++) record.verdicts[candidates[k]!] = KEPT;
    if (request.subset !== undefined) {
      count = this.subset.select(request.subset, snapshot, candidates);
      record?.narrow(OUTSIDE_SUBSET, candidates, count);
      if (count === 0) return ProfileOutcome.OUTSIDE_SUBSET;
    }
    const healthy = this.parts.breaker.withoutEjected(snapshot.table, candidates, count, nowMs);
    if (healthy < count) record?.narrow(EJECTED, candidates, healthy);
    count = healthy;
    const { filters, producers } = this.parts;
    for (let i = 0; i < producers.length; i++) producers[i]!.prepare(request, snapshot, candidates, count);
    for (let i = 0; i < filters.length; i++) {
      count = filters[i]!.filter.filter(request, snapshot, candidates, count);
      record?.narrow(i, candidates, count);
      if (count === 0) return ProfileOutcome.FILTERED_OUT;
    }
    this.score(request, snapshot, count, record);
    record?.see(snapshot, this);

    const chosen = this.parts.picker.pick(this.totals, count, this.picked, snapshot, candidates);
    // positions become slots in place
    for (let i = 0; i < chosen; i++) this.picked[i] = candidates[this.picked[i]!]!;
    this.pickedCount = chosen;
    for (let i = 0; i < producers.length; i++) producers[i]!.picked(snapshot, this.picked[0]!);
    if (record !== undefined) {
      record.picked.set(this.picked.subarray(0, chosen));
      record.pickedCount = chosen;
    }
    return ProfileOutcome.PICKED;
  }

  private score(request: SchedulingRequest, snapshot: EndpointSnapshot, count: number, record: DecisionRecord | undefined): void {
    const { candidates, totals, scores } = this;
    const { table } = snapshot;
    totals.fill(0, 0, count);
    const blend = this.usesMetrics && !allTrusted(table.trustRatio, candidates, count);
    for (let i = 0; i < this.parts.scorers.length; i++) {
      const { scorer, weight } = this.parts.scorers[i]!;
      const blended = blend && scorer.usesMetrics;
      if (record === undefined && !blended) {
        scorer.score(request, snapshot, candidates, count, weight, totals);
        continue;
      }
      scores.fill(0, 0, count);
      scorer.score(request, snapshot, candidates, count, 1, scores);
      if (blended) blendTowardMean(scores, table.trustRatio, candidates, count);
      for (let k = 0; k < count; k++) {
        totals[k] = totals[k]! + weight * scores[k]!;
        if (record !== undefined) record.scores[i * table.capacity + candidates[k]!] = scores[k]!;
      }
    }
    if (record !== undefined) for (let k = 0; k < count; k++) record.totals[candidates[k]!] = totals[k]!;
  }

  private grow(capacity: number): void {
    this.candidates = new Int32Array(capacity);
    this.totals = new Float64Array(capacity);
    this.scores = new Float64Array(capacity);
  }
}
