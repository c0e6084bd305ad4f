import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer, Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import { PerEndpoint } from '../../../per-endpoint';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `header-label-affinity-scorer`: 1 for endpoints whose label has the value of a request header, 0 for the others.
 * As llm-d-router v0.10, `scheduling/scorer/headerlabelaffinity`. Parameters: `headerName` and `labelKey`, both needed; with
 * `stampResponseHeader` (true) the answer carries the label of the endpoint that was chosen, in a header of the same name.
 */
export class HeaderLabelAffinityScorer implements Scorer {
  public static readonly TYPE = 'header-label-affinity-scorer';
  public readonly usesMetrics = false;
  private readonly labels: PerEndpoint<string | undefined>;
  private readonly stamp: LabelStamp | undefined;

  public constructor(
    private readonly header: string,
    label: string,
    stamps: boolean,
  ) {
    this.labels = new PerEndpoint(({ labels }) => (Object.hasOwn(labels, label) ? labels[label] : undefined));
    if (stamps) this.stamp = new LabelStamp(header, this.labels);
  }

  public static fromParameters(parameters: PluginParameters): HeaderLabelAffinityScorer {
    const header = parameters.requiredText('headerName').toLowerCase();
    const label = parameters.requiredText('labelKey');
    const stamps = parameters.boolean('stampResponseHeader', true);
    parameters.done();
    return new HeaderLabelAffinityScorer(header, label, stamps);
  }

  public get producer(): Producer | undefined {
    return this.stamp;
  }

  public score(
    request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    const wanted = request.header(this.header);
    if (wanted === undefined || wanted === '') return;
    for (let k = 0; k < count; k++) {
      if (this.labels.of(snapshot, candidates[k]!) === wanted) totals[k] = totals[k]! + weight;
    }
  }
}

/** Tells the client which label the chosen endpoint has. */
class LabelStamp implements Producer {
  public constructor(
    private readonly header: string,
    private readonly labels: PerEndpoint<string | undefined>,
  ) {}

  public prepare(): void {
    // only answers are changed
  }

  public picked(): void {
    // nothing to remember
  }

  public answerHeaders(snapshot: EndpointSnapshot, slot: number): readonly string[] | undefined {
    const label = this.labels.of(snapshot, slot);
    return label === undefined ? undefined : [this.header, label];
  }
}
