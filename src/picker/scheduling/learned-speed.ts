import { AffineFit } from './affine-fit';
import type { Flight, FlightOutcome } from './flight';
import type { EndpointTable } from './interface/endpoint-table';

/** Points count half after about 140 further ones. */
const MEMORY = 0.995;
/** Share that one measurement has in an endpoint's slowness. */
const SLOWNESS_GAIN = 0.1;
/** Endpoints of one kind differ by less. A factor in between would only stir them about: whoever gets more is slower, and gets less. */
export const UNUSUAL_RATIO = 1.5;
/** One measurement can move the slowness only so far: a single hiccup is no verdict. */
const MAX_RATIO = 20;
const MIN_RATIO = 0.1;
/** Without new measurements a slowness halves its distance from 1 every so often, so that a slow engine gets its chance again. */
export const SLOWNESS_HALF_LIFE_MS = 20_000;
/** Models whose answers' lengths are remembered; beyond that the oldest goes. */
const MAX_MODELS = 256;
const LENGTH_GAIN = 0.05;

/** What holds until something is measured: 16,000 prompt tokens a second (llm-d's `peakPrefillThroughput`), answers of 256 tokens. */
export const PRIOR_PREFILL_MS_PER_TOKEN = 1 / 16;
export const PRIOR_OUTPUT_TOKENS = 256;
const PRIOR_FIRST_TOKEN_MS = 20;
const PRIOR_DECODE_MS = 15;
const PRIOR_DECODE_MS_PER_REQUEST = 0.1;
const PRIOR_DURATION_MS = 4_000;

/**
 * How fast the pool's engines are, from the answers that pass through. The pool as a whole gives the prices: milliseconds per prompt token
 * in line, milliseconds per output token and request in the batch. Each endpoint gets one number beside it, how much slower than that it is.
 * (An online fit in place of a trained latency predictor.)
 */
export class LearnedSpeed {
  /** Time to the first token by tokens in line. */
  private readonly prefill = new AffineFit(MEMORY, {
    intercept: PRIOR_FIRST_TOKEN_MS,
    slope: PRIOR_PREFILL_MS_PER_TOKEN,
    atX: 2048,
  });
  /** Time between tokens by requests on the engine. */
  private readonly decode = new AffineFit(MEMORY, {
    intercept: PRIOR_DECODE_MS,
    slope: PRIOR_DECODE_MS_PER_REQUEST,
    atX: 16,
  });
  private readonly lengths = new Map<string, number>();
  /** Mean time that a request holds its place in the batch: without the wait for it. */
  public durationMs = PRIOR_DURATION_MS;
  /** Milliseconds of one prompt token. */
  public prefillMsPerToken = PRIOR_PREFILL_MS_PER_TOKEN;
  /** Milliseconds by which each request in the batch lengthens each step. */
  public stepMsPerRequest = PRIOR_DECODE_MS_PER_REQUEST;

  private outputRule: { readonly ratio: number; readonly maxTokens: number } | undefined;

  /** Takes answers to be so many times as long as their prompts, instead of learning their lengths. */
  public estimateOutputBy(ratio: number, maxTokens: number): void {
    this.outputRule = { ratio, maxTokens };
  }

  /** Expected length of an answer. */
  public outputTokens(model: string, maxTokens: number, promptTokens: number): number {
    const rule = this.outputRule;
    const expected =
      rule === undefined ? (this.lengths.get(model) ?? PRIOR_OUTPUT_TOKENS) : Math.min(rule.maxTokens, rule.ratio * promptTokens);
    return maxTokens >= 0 && maxTokens < expected ? maxTokens : expected;
  }

  /** Learns from a finished request; `load` is the number of requests on the endpoint, this one included. */
  public learn(table: EndpointTable, flight: Flight, outcome: FlightOutcome, nowMs: number, load: number): void {
    if (outcome.cause !== 'natural' || outcome.status !== 200) return;
    const { slot, model } = flight;
    const durationMs = nowMs - flight.pickedAtMs;
    if (outcome.outputTokens > 0) this.learnLength(model, outcome.outputTokens);
    const restMs = durationMs - outcome.firstByteMs;
    // an answer in one piece tells no first token
    if (outcome.firstByteMs < 0 || restMs < 0.1 * durationMs || outcome.outputTokens < 2) return;

    const heldMs = restMs + flight.uncachedTokens * this.prefillMsPerToken;
    this.durationMs += LENGTH_GAIN * (heldMs - this.durationMs);
    const tokens = flight.tokensAhead + flight.uncachedTokens;
    const decodeMs = restMs / (outcome.outputTokens - 1);
    const ratio = Math.min(MAX_RATIO, Math.max(MIN_RATIO, decodeMs / Math.max(0.01, this.decode.at(load))));
    const before = measuredSlowness(table, slot, nowMs);
    table.slownessRatio[slot] = before + SLOWNESS_GAIN * (ratio - before);
    table.measuredAtMs[slot] = nowMs;
    const known = table.decodeMsPerToken[slot]!;
    table.decodeMsPerToken[slot] = known === 0 ? decodeMs : known + SLOWNESS_GAIN * (decodeMs - known);
    // a sick engine must not set the prices of the pool
    if (before >= UNUSUAL_RATIO) return;
    this.prefill.add(tokens, outcome.firstByteMs);
    this.prefillMsPerToken = Math.max(1e-4, this.prefill.slope);
    this.decode.add(load, decodeMs);
    this.stepMsPerRequest = this.decode.slope;
  }

  private learnLength(model: string, tokens: number): void {
    const known = this.lengths.get(model);
    if (known === undefined && this.lengths.size >= MAX_MODELS) this.lengths.delete(this.lengths.keys().next().value!);
    this.lengths.set(model, known === undefined ? tokens : known + LENGTH_GAIN * (tokens - known));
  }
}

/** How much slower than the pool an endpoint is; 1 where the difference may be chance, or is too long ago. */
export function slownessAt(table: EndpointTable, slot: number, nowMs: number): number {
  const measured = measuredSlowness(table, slot, nowMs);
  return measured < UNUSUAL_RATIO ? 1 : measured;
}

/** On its way back to 1 since it was measured. */
function measuredSlowness({ slownessRatio, measuredAtMs }: EndpointTable, slot: number, nowMs: number): number {
  const measured = slownessRatio[slot]!;
  if (measured === 0) return 1;
  const ageMs = nowMs - measuredAtMs[slot]!;
  return ageMs <= 0 ? measured : 1 + (measured - 1) * 2 ** (-ageMs / SLOWNESS_HALF_LIFE_MS);
}
