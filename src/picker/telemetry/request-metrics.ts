import type { Outcome } from '../ext-proc/director';
import type { Exposition, Labels } from './exposition';
import { Bounds, Histogram } from './histogram';
import { LabelLimiter, OTHER } from './label-limiter';
import { PoolTokens } from './pool-tokens';

/** llm-d's limits (`model_name` with `target_model_name`, and `fairness_id`). */
const MAX_MODELS = 1_000;
const MAX_FAIRNESS_IDS = 1_000;
/** All label sets together; each holds about 2 KB of buckets. */
const MAX_SERIES = 4_000;

/** Everything counted for one model, target, fairness id and priority. */
export class RequestSeries {
  public total = 0;
  public running = 0;
  public readonly errors = new Map<string, number>();
  public readonly durationSeconds = new Histogram(Bounds.REQUEST_SECONDS);
  public readonly requestBytes = new Histogram(Bounds.REQUEST_BYTES);
  public readonly responseBytes = new Histogram(Bounds.RESPONSE_BYTES);
  public readonly inputTokens = new Histogram(Bounds.INPUT_TOKENS);
  public readonly outputTokens = new Histogram(Bounds.OUTPUT_TOKENS);
  public readonly cachedTokens = new Histogram(Bounds.INPUT_TOKENS);
  public readonly ntpotSeconds = new Histogram(Bounds.NTPOT_SECONDS);
  public readonly streamingTtftSeconds = new Histogram(Bounds.TTFT_SECONDS);
  public readonly wholeTtftSeconds = new Histogram(Bounds.TTFT_SECONDS);
  public readonly tpotSeconds = new Histogram(Bounds.TPOT_SECONDS);
  public readonly itlSeconds = new Histogram(Bounds.ITL_SECONDS);

  public constructor(public readonly labels: Labels) {}

  public started(bodyBytes: number): void {
    this.total++;
    this.running++;
    this.requestBytes.observe(bodyBytes);
  }

  public refused(code: string, bodyBytes: number): void {
    this.total++;
    this.requestBytes.observe(bodyBytes);
    this.failed(code);
  }

  /** A routed request is over. */
  public settled(outcome: Outcome, durationMs: number, streaming: boolean): void {
    this.running--;
    if (outcome.status >= 400) this.failed(String(outcome.status));
    else if (outcome.cause === 'error' || outcome.cause === 'evicted') this.failed(outcome.cause);
    if (outcome.status < 200 || outcome.status >= 300) return;
    this.durationSeconds.observe(durationMs / 1e3);
    this.responseBytes.observe(outcome.responseBytes);
    if (outcome.firstByteMs >= 0)
      (streaming ? this.streamingTtftSeconds : this.wholeTtftSeconds).observe(outcome.firstByteMs / 1e3);
    if (outcome.inputTokens >= 0) this.inputTokens.observe(outcome.inputTokens);
    if (outcome.cachedTokens >= 0) this.cachedTokens.observe(outcome.cachedTokens);
    if (outcome.outputTokens < 0) return;
    this.outputTokens.observe(outcome.outputTokens);
    if (outcome.outputTokens > 0) this.ntpotSeconds.observe(durationMs / 1e3 / outcome.outputTokens);
    if (streaming && outcome.outputTokens > 1 && outcome.firstByteMs >= 0) {
      this.tpotSeconds.observe((durationMs - outcome.firstByteMs) / 1e3 / (outcome.outputTokens - 1));
    }
  }

  private failed(code: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}

/** The request group of llm-d's metrics. Found by nested maps, so that a known series costs no text concatenation. */
export class RequestMetrics {
  public readonly pools = new PoolTokens();
  private readonly byModel = new Map<string, Map<string, Map<string, Map<number, RequestSeries>>>>();
  private readonly all: RequestSeries[] = [];
  private readonly models = new LabelLimiter(MAX_MODELS);
  private readonly fairnessIds = new LabelLimiter(MAX_FAIRNESS_IDS);

  public series(model: string, target: string, fairnessId: string, priority = 0): RequestSeries {
    return (
      this.byModel.get(model)?.get(target)?.get(fairnessId)?.get(priority) ?? this.admit(model, target, fairnessId, priority)
    );
  }

  private admit(givenModel: string, givenTarget: string, givenFairnessId: string, priority: number): RequestSeries {
    const full = this.all.length >= MAX_SERIES;
    const known = !full && this.models.admit(`${givenModel}\n${givenTarget}`) !== OTHER;
    const model = known ? givenModel : OTHER;
    const target = known ? givenTarget : OTHER;
    const fairnessId = full ? OTHER : this.fairnessIds.admit(givenFairnessId);
    let targets = this.byModel.get(model);
    if (targets === undefined) this.byModel.set(model, (targets = new Map()));
    let ids = targets.get(target);
    if (ids === undefined) targets.set(target, (ids = new Map()));
    let priorities = ids.get(fairnessId);
    if (priorities === undefined) ids.set(fairnessId, (priorities = new Map()));
    let series = priorities.get(priority);
    if (series === undefined) {
      const labels = ['fairness_id', fairnessId, 'model_name', model, 'priority', String(priority)];
      series = new RequestSeries([...labels, 'target_model_name', target]);
      priorities.set(priority, series);
      this.all.push(series);
    }
    return series;
  }

  /** One family at a time: a page of thousands of series must not hold up requests. */
  public *write(out: Exposition): Generator<void> {
    const counter = (name: string, type: 'counter' | 'gauge', help: string, value: (series: RequestSeries) => number): void => {
      out.family(name, type, help);
      for (const series of this.all) out.sample(name, series.labels, value(series));
    };
    counter('llm_d_epp_request_total', 'counter', 'Requests received.', ({ total }) => total);
    counter('llm_d_epp_request_running', 'gauge', 'Requests sent to an engine and not finished.', ({ running }) => running);
    yield;
    const errors = 'llm_d_epp_request_error_total';
    out.family(errors, 'counter', 'Requests that were refused or failed, by status or cause.');
    for (const { labels, errors: codes } of this.all) {
      for (const [code, count] of codes) out.sample(errors, ['error_code', code, ...labels], count);
    }
    yield;
    for (const [suffix, help, pick] of HISTOGRAMS) {
      const name = `llm_d_epp_request_${suffix}`.replace('request_response', 'response');
      out.family(name, 'histogram', help);
      for (const [index, series] of this.all.entries()) {
        out.histogram(name, series.labels, pick(series));
        if (index % SERIES_AT_ONCE === SERIES_AT_ONCE - 1) yield;
      }
      yield;
    }
    const ttft = 'llm_d_epp_request_ttft_seconds';
    out.family(ttft, 'histogram', "Time from the decision to the first byte of the engine's answer.");
    for (const [index, series] of this.all.entries()) {
      for (const [streaming, histogram] of [
        ['true', series.streamingTtftSeconds] as const,
        ['false', series.wholeTtftSeconds] as const,
      ]) {
        if (histogram.count > 0) out.histogram(ttft, [...series.labels, 'streaming', streaming], histogram);
      }
      if (index % SERIES_AT_ONCE === SERIES_AT_ONCE - 1) yield;
    }
    yield;
  }
}

const SERIES_AT_ONCE = 50;

const HISTOGRAMS: readonly (readonly [suffix: string, help: string, pick: (series: RequestSeries) => Histogram])[] = [
  ['duration_seconds', 'Time from the decision to the end of the answer.', (series) => series.durationSeconds],
  ['size_bytes', 'Size of request bodies.', (series) => series.requestBytes],
  ['response_size_bytes', 'Size of answers.', (series) => series.responseBytes],
  ['input_tokens', 'Input tokens, as the engine counted them.', (series) => series.inputTokens],
  ['output_tokens', 'Output tokens, as the engine counted them.', (series) => series.outputTokens],
  ['cached_tokens', 'Input tokens that the engine had in its cache.', (series) => series.cachedTokens],
  ['ntpot_seconds', 'Duration of a request over its output tokens.', (series) => series.ntpotSeconds],
  ['streaming_tpot_seconds', 'Time after the first byte over the output tokens after the first.', (series) => series.tpotSeconds],
  ['streaming_itl_seconds', 'Time between two chunks of a streamed answer.', (series) => series.itlSeconds],
];
