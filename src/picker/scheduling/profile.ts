import { DecisionRecord, KEPT, OUTSIDE_SUBSET } from './decision-record';
import type { EndpointSnapshot } from './interface/endpoint-snapshot';
import type { Filter, Picker, Producer, Scorer } from './interface/plugins';
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
  /** Those that the scorers use. */
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

  public constructor(private readonly parts: ProfileParts) {
    this.name = parts.name;
    this.picked = new Int32Array(parts.picker.maxNumOfEndpoints);
  }

  /** A record that fits this profile. */
  public newRecord(): DecisionRecord {
    return new DecisionRecord(
      this.parts.filters.map(({ name }) => name),
      this.parts.scorers.map(({ name }) => name),
    );
  }

  /** Chooses, and tells the producers. The record, if any, is filled on the way. */
  public run(request: SchedulingRequest, snapshot: EndpointSnapshot, record?: DecisionRecord): ProfileOutcome {
    this.pickedCount = 0;
    record?.begin(snapshot, this.picked.length);
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
    const { filters, producers } = this.parts;
    for (let i = 0; i < filters.length; i++) {
      count = filters[i]!.filter.filter(request, snapshot, candidates, count);
      record?.narrow(i, candidates, count);
      if (count === 0) return ProfileOutcome.FILTERED_OUT;
    }
    for (let i = 0; i < producers.length; i++) producers[i]!.prepare(request, snapshot, candidates, count);
    this.score(request, snapshot, count, record);

    const chosen = this.parts.picker.pick(this.totals, count, this.picked);
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
    const blend = !allTrusted(table.trustRatio, candidates, count);
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
