import { Histogram } from './histogram';
import type { FinishReason, Sequence } from './sequence';

// Bounds as vLLM 0.11 publishes them, so that recorded dashboards and percentile queries work on simulated engines.
const firstTokenSeconds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
];
const tokenSeconds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
const requestSeconds = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

/** 1, 2, 5, 10, 20, 50, … up to the longest sequence. */
export function tokenBounds(maxModelTokens: number): number[] {
  const bounds: number[] = [];
  for (let magnitude = 1; ; magnitude *= 10) {
    for (const digit of [1, 2, 5]) {
      if (digit * magnitude > maxModelTokens) return bounds;
      bounds.push(digit * magnitude);
    }
  }
}

/** What an engine has done since it started. Counters only grow; gauges are asked of the engine itself. */
export class EngineStats {
  promptTokens = 0;
  generationTokens = 0;
  prefixQueriedTokens = 0;
  prefixHitTokens = 0;
  preemptions = 0;
  readonly finished: Record<FinishReason, number> = { stop: 0, length: 0, abort: 0 };

  readonly timeToFirstToken = new Histogram(firstTokenSeconds);
  readonly interTokenLatency = new Histogram(tokenSeconds);
  readonly timePerOutputToken = new Histogram(tokenSeconds);
  readonly endToEnd = new Histogram(requestSeconds);
  readonly queueTime = new Histogram(requestSeconds);
  readonly prefillTime = new Histogram(requestSeconds);
  readonly decodeTime = new Histogram(requestSeconds);
  readonly inferenceTime = new Histogram(requestSeconds);
  readonly requestPromptTokens: Histogram;
  readonly requestGenerationTokens: Histogram;
  readonly requestMaxTokens: Histogram;

  constructor(maxModelTokens: number) {
    const bounds = tokenBounds(maxModelTokens);
    this.requestPromptTokens = new Histogram(bounds);
    this.requestGenerationTokens = new Histogram(bounds);
    this.requestMaxTokens = new Histogram(bounds);
  }

  started(sequence: Sequence): void {
    this.prefixQueriedTokens += sequence.promptTokens;
    this.prefixHitTokens += sequence.cachedTokens;
    this.queueTime.observe(seconds(sequence.arrivedMs, sequence.startedMs));
  }

  token(sequence: Sequence, atMs: number): void {
    if (sequence.firstTokenMs < 0) {
      this.promptTokens += sequence.promptTokens;
      this.timeToFirstToken.observe(seconds(sequence.arrivedMs, atMs));
    } else {
      this.interTokenLatency.observe(seconds(sequence.lastTokenMs, atMs));
    }
    this.generationTokens++;
  }

  done(sequence: Sequence): void {
    this.finished[sequence.finishReason!]++;
    if (sequence.finishReason === 'abort') return;
    const { arrivedMs, startedMs, firstTokenMs, finishedMs, emittedTokens } = sequence;
    this.endToEnd.observe(seconds(arrivedMs, finishedMs));
    this.prefillTime.observe(seconds(startedMs, firstTokenMs));
    this.decodeTime.observe(seconds(firstTokenMs, finishedMs));
    this.inferenceTime.observe(seconds(startedMs, finishedMs));
    if (emittedTokens > 1) this.timePerOutputToken.observe(seconds(firstTokenMs, finishedMs) / (emittedTokens - 1));
    this.requestPromptTokens.observe(sequence.promptTokens);
    this.requestGenerationTokens.observe(emittedTokens);
    if (sequence.request.maxTokens !== undefined) this.requestMaxTokens.observe(sequence.request.maxTokens);
  }
}

function seconds(fromMs: number, toMs: number): number {
  return (toMs - fromMs) / 1000;
}
