import type { Exposition } from '../telemetry/exposition';
import { Bounds, Histogram } from '../telemetry/histogram';
import { LabelLimiter, OTHER } from '../telemetry/label-limiter';
import type { Outcome, RefusalReason } from './outcome';

/** llm-d's limits. */
const MAX_MODELS = 1_000;
const MAX_FAIRNESS_IDS = 1_000;
const MAX_SERIES = 4_000;
/** llm-d's name for requests of nobody in particular. */
const DEFAULT_FAIRNESS_ID = 'default-flow';

/** What the labels of a request are made from. */
export interface Labelled {
  readonly priority: number;
  readonly fairnessId: string;
  readonly bytes: number;
  readonly model: string;
  readonly targetModel: string;
}

/** Counts of one pool, priority, tenant and model. */
export class QueueSeries {
  /** Requests that had not to wait. */
  public passed = 0;
  public size = 0;
  public bytes = 0;
  public readonly seconds = new Map<Outcome, Histogram>();

  public constructor(
    public readonly pool: string,
    public readonly priority: number,
    public readonly labels: readonly string[],
  ) {}
}

/** Who remembers the series of a request for the next one like it. */
export interface SeriesHolder {
  series: QueueSeries | undefined;
  /** What the series was found by; the counted labels may be others. */
  readonly foundBy: { fairnessId: string; model: string; targetModel: string };
}

/** Counts of queues by the labels of llm-d's picker, and of refusals by the names of bands. */
export class FlowControlMetrics {
  private readonly series = new Map<string, QueueSeries>();
  private readonly models = new LabelLimiter(MAX_MODELS);
  private readonly fairnessIds = new LabelLimiter(MAX_FAIRNESS_IDS);
  private readonly sheds = new Map<string, Map<string, Map<RefusalReason, number>>>();

  /** Went on at once. */
  public passed(pool: string, ask: Labelled, holder: SeriesHolder): void {
    const { foundBy } = holder;
    let { series } = holder;
    if (
      series === undefined ||
      foundBy.model !== ask.model ||
      foundBy.targetModel !== ask.targetModel ||
      foundBy.fairnessId !== ask.fairnessId
    ) {
      series = holder.series = this.find(pool, ask);
      foundBy.model = ask.model;
      foundBy.targetModel = ask.targetModel;
      foundBy.fairnessId = ask.fairnessId;
    }
    series.passed++;
  }

  public joined(pool: string, waiting: Labelled): void {
    const series = this.find(pool, waiting);
    series.size++;
    series.bytes += waiting.bytes;
  }

  /** @param neverJoined it was refused at the door */
  public left(pool: string, waiting: Labelled, outcome: Outcome, waitedMs: number, neverJoined = false): void {
    const series = this.find(pool, waiting);
    let histogram = series.seconds.get(outcome);
    if (histogram === undefined) series.seconds.set(outcome, (histogram = new Histogram(Bounds.QUEUE_SECONDS)));
    histogram.observe(waitedMs / 1e3);
    if (neverJoined) return;
    series.size--;
    series.bytes -= waiting.bytes;
  }

  public shed(pool: string, band: string, reason: RefusalReason): void {
    let bands = this.sheds.get(pool);
    if (bands === undefined) this.sheds.set(pool, (bands = new Map()));
    let reasons = bands.get(band);
    if (reasons === undefined) bands.set(band, (reasons = new Map()));
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }

  /** @param saturations of the pools, by name */
  public write(out: Exposition, saturations: ReadonlyMap<string, number>): void {
    const all = [...this.series.values()];
    this.writeTotals(out, all);
    const queued = all.filter(({ size, seconds }) => size > 0 || seconds.size > 0);
    out.family('llm_d_epp_flow_control_queue_size', 'gauge', 'Requests that wait.');
    for (const { labels, size } of queued) out.sample('llm_d_epp_flow_control_queue_size', labels, size);
    out.family('llm_d_epp_flow_control_queue_bytes', 'gauge', 'Bytes of the requests that wait.');
    for (const { labels, bytes } of queued) out.sample('llm_d_epp_flow_control_queue_bytes', labels, bytes);
    const wait = 'llm_d_epp_flow_control_request_queue_duration_seconds';
    out.family(wait, 'histogram', 'Time that requests waited, by how that ended.');
    for (const { labels, passed, seconds } of all) {
      for (const [outcome, histogram] of seconds) {
        out.histogram(wait, withOutcome(labels, outcome), outcome === 'Dispatched' ? plus(histogram, passed) : histogram);
      }
      if (passed > 0 && !seconds.has('Dispatched')) {
        out.histogram(wait, withOutcome(labels, 'Dispatched'), plus(new Histogram(Bounds.QUEUE_SECONDS), passed));
      }
    }
    out.family('llm_d_epp_flow_control_pool_saturation', 'gauge', 'Mean level of the ready endpoints, 0 idle to 1 full.');
    for (const [pool, value] of saturations)
      out.sample('llm_d_epp_flow_control_pool_saturation', ['inference_pool', pool], value);
    const sheds = 'aig_picker_queue_refusals_total';
    out.family(sheds, 'counter', 'Requests that flow control refused, by band and reason.');
    for (const [pool, bands] of this.sheds) {
      for (const [band, reasons] of bands) {
        for (const [reason, count] of reasons) out.sample(sheds, ['pool', pool, 'band', band, 'reason', reason], count);
      }
    }
  }

  private writeTotals(out: Exposition, all: readonly QueueSeries[]): void {
    const totals = new Map<string, { readonly labels: readonly string[]; count: number }>();
    const add = (outcome: Outcome, { pool, priority }: QueueSeries, count: number): void => {
      const labels = ['inference_pool', pool, 'outcome', outcome, 'priority', String(priority)];
      const key = labels.join('\n');
      const total = totals.get(key) ?? { labels, count: 0 };
      total.count += count;
      totals.set(key, total);
    };
    for (const series of all) {
      if (series.passed > 0) add('Dispatched', series, series.passed);
      for (const [outcome, histogram] of series.seconds) add(outcome, series, histogram.count);
    }
    const name = 'llm_d_epp_flow_control_requests_total';
    out.family(name, 'counter', 'Requests that left flow control, by how.');
    for (const { labels, count } of totals.values()) out.sample(name, labels, count);
  }

  private find(pool: string, { priority, fairnessId, model: givenModel, targetModel: givenTarget }: Labelled): QueueSeries {
    const key = `${pool}\n${priority}\n${fairnessId}\n${givenModel}\n${givenTarget}`;
    const known = this.series.get(key);
    if (known !== undefined) return known;
    const isFull = this.series.size >= MAX_SERIES;
    const isKnown = !isFull && this.models.admit(`${givenModel}\n${givenTarget}`) !== OTHER;
    const model = isKnown ? givenModel : OTHER;
    const target = isKnown ? givenTarget : OTHER;
    const id = isFull ? OTHER : this.fairnessIds.admit(fairnessId === '' ? DEFAULT_FAIRNESS_ID : fairnessId);
    if (id === OTHER || model === OTHER) {
      const shared = `${pool}\n${priority}\n${id}\n${model}\n${target}`;
      return this.series.get(shared) ?? this.add(shared, pool, priority, id, model, target);
    }
    return this.add(key, pool, priority, id, model, target);
  }

  private add(key: string, pool: string, priority: number, id: string, model: string, target: string): QueueSeries {
    const labels = ['fairness_id', id, 'inference_pool', pool, 'model_name', model];
    const series = new QueueSeries(pool, priority, [...labels, 'priority', String(priority), 'target_model_name', target]);
    this.series.set(key, series);
    return series;
  }
}

function withOutcome(labels: readonly string[], outcome: Outcome): readonly string[] {
  return [...labels.slice(0, 6), 'outcome', outcome, ...labels.slice(6)];
}

/** With observations of nothing. */
function plus(histogram: Histogram, zeros: number): Histogram {
  const sum = new Histogram(histogram.bounds);
  sum.counts.set(histogram.counts);
  sum.counts[0] = sum.counts[0]! + zeros;
  sum.sum = histogram.sum;
  return sum;
}
