import type { CustomScorer, ScoreEndpoint } from '../../../interface/custom-scorer';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginFaults } from '../../../plugin-faults';
import type { PluginParameters } from '../../../plugin-parameters';
import { CandidateView } from './candidate-view';

/** What a user's scorer needs of its surroundings. */
export interface CustomScorerContext {
  prefixProducer(name: string | undefined): Producer;
  readonly faults: PluginFaults;
}

/**
 * A scorer of a user (`defineScorer`), with whatever it does wrong kept away from the request. One that throws, or gives something that is
 * no number, has no say in that decision: all candidates get 0 from it. A score outside of 0 to 1 becomes the nearer of the two.
 */
export class CustomScorerAdapter implements Scorer {
  public readonly usesMetrics: boolean;
  /** By slot. */
  private views: CandidateView[] = [];
  private readonly candidates: CandidateView[] = [];
  private scores = new Float64Array(0);

  public constructor(
    private readonly name: string,
    definition: CustomScorer,
    private readonly scoreEndpoint: ScoreEndpoint,
    public readonly producer: Producer | undefined,
    private readonly faults: PluginFaults,
  ) {
    this.usesMetrics = definition.usesMetrics === true;
  }

  /** @throws whatever the user's `create` throws */
  public static fromParameters(
    name: string,
    definition: CustomScorer,
    parameters: PluginParameters,
    { prefixProducer, faults }: CustomScorerContext,
  ): CustomScorerAdapter {
    const scoreEndpoint = definition.create(parameters);
    parameters.done();
    if (typeof scoreEndpoint !== 'function') throw new TypeError('create gave no function');
    const producer = definition.usesPrefixCache === true ? prefixProducer(undefined) : undefined;
    return new CustomScorerAdapter(name, definition, scoreEndpoint, producer, faults);
  }

  public score(
    request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    this.look(snapshot, candidates, count);
    const { scores, faults, name } = this;
    for (let k = 0; k < count; k++) {
      let score: unknown;
      try {
        score = this.scoreEndpoint(request, this.candidates[k]!, this.candidates);
      } catch (error) {
        faults.add(name, 'throw', error);
        return;
      }
      if (typeof score !== 'number' || Number.isNaN(score)) {
        faults.add(name, 'not-a-number', score);
        return;
      }
      if (score < 0 || score > 1) faults.add(name, 'out-of-range', score);
      scores[k] = Math.min(1, Math.max(0, score));
    }
    for (let k = 0; k < count; k++) totals[k] = totals[k]! + weight * scores[k]!;
  }

  private look({ table, endpoints }: EndpointSnapshot, candidates: Int32Array, count: number): void {
    if (this.scores.length < count) this.scores = new Float64Array(table.capacity);
    this.candidates.length = count;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      const endpoint = endpoints[slot]!;
      let view = this.views[slot];
      // pools share slots, and a table that has grown is another one
      if (view === undefined || view.endpoint !== endpoint || view.table !== table)
        this.views[slot] = view = new CandidateView(endpoint, table, slot, this.producer);
      this.candidates[k] = view;
    }
  }
}
