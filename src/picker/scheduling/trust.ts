import type { EndpointSnapshot } from './interface/endpoint-snapshot';

/** How long reports are believed. */
export interface TrustOptions {
  /** Reports younger than this count fully, whatever the interval. */
  readonly graceMs: number;
  /** Missed scrapes that are no sign of trouble yet, on top. */
  readonly graceIntervals: number;
  /** Beyond the grace, trust halves every so often. */
  readonly halfLifeMs: number;
}

export const DEFAULT_TRUST: TrustOptions = { graceMs: 250, graceIntervals: 4, halfLifeMs: 2_000 };

/** Trust is worked out anew for all endpoints at this interval at most: far below the half-life, far above the time between requests. */
const REFRESH_MS = 10;

/**
 * How far a report can be believed: 1 up to `graceMs + graceIntervals · interval`, then `2^(-excess / halfLifeMs)`; 0 when there was none.
 *
 * An old report is weak evidence, not evidence of overload: a picker that takes the silence of a metrics page for saturation stops all
 * traffic on one slow scrape. So trust falls smoothly, and a score with trust t becomes `t·score + (1 − t)·mean`, where the mean is that
 * of all candidates weighted by their trust. Where nothing is known every endpoint scores the same, and other scorers or chance decide.
 */
export function trustRatio(updatedAtMs: number, scrapeIntervalMs: number, nowMs: number, options = DEFAULT_TRUST): number {
  if (updatedAtMs === 0) return 0;
  const excessMs = nowMs - updatedAtMs - options.graceMs - options.graceIntervals * scrapeIntervalMs;
  return excessMs <= 0 ? 1 : 2 ** (-excessMs / options.halfLifeMs);
}

/** Keeps the trust column of the snapshot in force. */
export class TrustKeeper {
  private dueAtMs = Number.NEGATIVE_INFINITY;
  private version = -1;

  /** @param options those of every keeper of a table must be the same */
  public constructor(private readonly options: TrustOptions = DEFAULT_TRUST) {}

  public refresh(snapshot: EndpointSnapshot, nowMs: number): void {
    if (nowMs < this.dueAtMs && snapshot.version === this.version) return;
    this.dueAtMs = nowMs + REFRESH_MS;
    this.version = snapshot.version;
    const { table, ready } = snapshot;
    for (let k = 0; k < ready.length; k++) {
      const slot = ready[k]!;
      table.trustRatio[slot] = trustRatio(table.updatedAtMs[slot]!, table.scrapeIntervalMs[slot]!, nowMs, this.options);
    }
  }
}

/** True when all candidates can be believed fully. */
export function allTrusted(trust: Float64Array, candidates: Int32Array, count: number): boolean {
  for (let k = 0; k < count; k++) if (trust[candidates[k]!]! < 1) return false;
  return true;
}

/** Pulls each score towards the mean as far as its endpoint is not trusted. */
export function blendTowardMean(scores: Float64Array, trust: Float64Array, candidates: Int32Array, count: number): void {
  let weights = 0;
  let sum = 0;
  let plainSum = 0;
  for (let k = 0; k < count; k++) {
    const t = trust[candidates[k]!]!;
    weights += t;
    sum += t * scores[k]!;
    plainSum += scores[k]!;
  }
  const mean = weights > 0 ? sum / weights : plainSum / count;
  for (let k = 0; k < count; k++) {
    const t = trust[candidates[k]!]!;
    // the sum of products can leave [0, 1] by a rounding error
    scores[k] = Math.min(1, t * scores[k]! + (1 - t) * mean);
  }
}
