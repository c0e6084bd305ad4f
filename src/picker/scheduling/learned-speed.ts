import { AffineFit } from './affine-fit';
import type { Flight, FlightOutcome } from './flight';
import type { EndpointTable } from './interface/endpoint-table';

/** How speed is learned, and what holds until something is measured. */
export interface SpeedOptions {
  /** Weight of a measurement when the next one comes: at 0.995 it counts half after about 140 further ones. */
  readonly memoryRatio: number;
  /** Share that one measurement has in an endpoint's slowness. */
  readonly slownessGain: number;
  /** Endpoints of one kind differ by less. A factor in between would only stir them about: whoever gets more is slower, and gets less. */
  readonly unusualRatio: number;
  /** One measurement can move the slowness only so far: a single hiccup is no verdict. */
  readonly minSlownessRatio: number;
  readonly maxSlownessRatio: number;
  /** Without new measurements a slowness halves its distance from 1 every so often, so that a slow engine gets its chance again. */
  readonly slownessHalfLifeSeconds: number;
  /** Share that one answer has in the mean length, and in the mean duration. */
  readonly lengthGain: number;
  /** Models whose answers' lengths are remembered; beyond that the oldest goes. */
  readonly maxModels: number;
  /** Until measured: prompt tokens a second (llm-d's `peakPrefillThroughput` is 15,928). */
  readonly priorPrefillTokensPerSecond: number;
  /** Until measured: time to the first token of an empty prompt. */
  readonly priorFirstTokenMs: number;
  /** Until measured: time between two tokens of a lone request. */
  readonly priorStepMs: number;
  /** Until measured: what each further request adds to it. */
  readonly priorStepMsPerRequest: number;
  /** Until measured: length of an answer. */
  readonly priorOutputTokens: number;
  /** Until measured: time that a request holds its place in the batch. */
  readonly priorDurationSeconds: number;
}

export const DEFAULT_SPEED: SpeedOptions = {
  memoryRatio: 0.995,
  slownessGain: 0.1,
  unusualRatio: 1.5,
  minSlownessRatio: 0.1,
  maxSlownessRatio: 20,
  slownessHalfLifeSeconds: 20,
  lengthGain: 0.05,
  maxModels: 256,
  priorPrefillTokensPerSecond: 16_000,
  priorFirstTokenMs: 20,
  priorStepMs: 15,
  priorStepMsPerRequest: 0.1,
  priorOutputTokens: 256,
  priorDurationSeconds: 4,
};

/**
 * How fast the pool's engines are, from the answers that pass through. The pool as a whole gives the prices: milliseconds per prompt token
 * in line, milliseconds per output token and request in the batch. Each endpoint gets one number beside it, how much slower than that it is.
 * (An online fit in place of a trained latency predictor.)
 */
export class LearnedSpeed {
  /** Time to the first token by tokens in line. */
  private readonly prefill: AffineFit;
  /** Time between tokens by requests on the engine. */
  private readonly decode: AffineFit;
  private readonly lengths = new Map<string, number>();
  /** Mean time that a request holds its place in the batch: without the wait for it. */
  public durationMs: number;
  /** Milliseconds of one prompt token. */
  public prefillMsPerToken: number;
  /** Milliseconds by which each request in the batch lengthens each step. */
  public stepMsPerRequest: number;

  private readonly halfLifeMs: number;
  private outputRule: { readonly ratio: number; readonly maxTokens: number } | undefined;

  public constructor(private readonly options: SpeedOptions = DEFAULT_SPEED) {
    this.halfLifeMs = options.slownessHalfLifeSeconds * 1e3;
    this.durationMs = options.priorDurationSeconds * 1e3;
    this.prefillMsPerToken = 1e3 / options.priorPrefillTokensPerSecond;
    this.stepMsPerRequest = options.priorStepMsPerRequest;
    const { memoryRatio, priorFirstTokenMs, priorStepMs } = options;
    this.prefill = new AffineFit(memoryRatio, { intercept: priorFirstTokenMs, slope: this.prefillMsPerToken, atX: 2048 });
    this.decode = new AffineFit(memoryRatio, { intercept: priorStepMs, slope: this.stepMsPerRequest, atX: 16 });
  }

  /** Takes answers to be so many times as long as their prompts, instead of learning their lengths. */
  public estimateOutputBy(ratio: number, maxTokens: number): void {
    this.outputRule = { ratio, maxTokens };
  }

  /** Expected length of an answer. */
  public outputTokens(model: string, maxTokens: number, promptTokens: number): number {
    const rule = this.outputRule;
    const expected =
      rule === undefined
        ? (this.lengths.get(model) ?? this.options.priorOutputTokens)
        : Math.min(rule.maxTokens, rule.ratio * promptTokens);
    return maxTokens >= 0 && maxTokens < expected ? maxTokens : expected;
  }

  /** Learns from a finished request; `batch` is the number of requests that the endpoint works on, this one included. */
  public learn(table: EndpointTable, flight: Flight, outcome: FlightOutcome, nowMs: number, batch: number): void {
    if (outcome.cause !== 'natural' || outcome.status !== 200) return;
    const { slot, model } = flight;
    const { slownessGain, minSlownessRatio, maxSlownessRatio, lengthGain, unusualRatio } = this.options;
    const durationMs = nowMs - flight.pickedAtMs;
    const outputTokens = lengthOf(outcome);
    if (outputTokens > 0) this.learnLength(model, outputTokens);
    const restMs = durationMs - outcome.firstByteMs;
    // an answer in one piece tells no first token
    if (outcome.firstByteMs < 0 || restMs < 0.1 * durationMs || outputTokens < 2) return;

    const heldMs = restMs + flight.uncachedTokens * this.prefillMsPerToken;
    this.durationMs += lengthGain * (heldMs - this.durationMs);
    const tokens = flight.tokensAhead + flight.uncachedTokens;
    const decodeMs = restMs / (outputTokens - 1);
    const ratio = Math.min(maxSlownessRatio, Math.max(minSlownessRatio, decodeMs / Math.max(0.01, this.decode.at(batch))));
    const before = this.measuredSlowness(table, slot, nowMs);
    table.slownessRatio[slot] = before + slownessGain * (ratio - before);
    table.measuredAtMs[slot] = nowMs;
    const known = table.decodeMsPerToken[slot]!;
    table.decodeMsPerToken[slot] = known === 0 ? decodeMs : known + slownessGain * (decodeMs - known);
    // a sick engine must not set the prices of the pool
    if (before >= unusualRatio) return;
    if (!flight.queued) {
      this.prefill.add(tokens, outcome.firstByteMs);
      this.prefillMsPerToken = Math.max(1e-4, this.prefill.slope);
    }
    this.decode.add(batch, decodeMs);
    this.stepMsPerRequest = this.decode.slope;
  }

  /** How much slower than the pool an endpoint is; 1 where the difference may be chance, or is too long ago. */
  public slownessAt(table: EndpointTable, slot: number, nowMs: number): number {
    const { unusualRatio } = this.options;
    // it only comes nearer to 1, so most endpoints need no power
    if (table.slownessRatio[slot]! < unusualRatio) return 1;
    const measured = this.measuredSlowness(table, slot, nowMs);
    return measured < unusualRatio ? 1 : measured;
  }

  /** On its way back to 1 since it was measured. */
  private measuredSlowness({ slownessRatio, measuredAtMs }: EndpointTable, slot: number, nowMs: number): number {
    const measured = slownessRatio[slot]!;
    if (measured === 0) return 1;
    const ageMs = nowMs - measuredAtMs[slot]!;
    return ageMs <= 0 ? measured : 1 + (measured - 1) * 2 ** (-ageMs / this.halfLifeMs);
  }

  private learnLength(model: string, tokens: number): void {
    const { lengthGain, maxModels } = this.options;
    const known = this.lengths.get(model);
    if (known === undefined && this.lengths.size >= maxModels) this.lengths.delete(this.lengths.keys().next().value!);
    this.lengths.set(model, known === undefined ? tokens : known + lengthGain * (tokens - known));
  }
}

/**
 * Tokens of an answer; -1 where unknown. Few clients ask for the usage of a stream. Engines send an event for each token, and two that have none:
 * one names the role, `[DONE]` is the last.
 */
function lengthOf({ outputTokens, deltas = 0 }: FlightOutcome): number {
  if (outputTokens >= 0) return outputTokens;
  return deltas > 2 ? deltas - 2 : -1;
}
