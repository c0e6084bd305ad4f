import type { Engine } from '../engine/core/engine';

interface Served {
  readonly slot: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

/** What a run came to. Times in milliseconds. */
export interface RunResult {
  readonly router: string;
  readonly traffic: string;
  /** Of the measured requests, those that were answered in time. */
  readonly servedRatio: number;
  readonly ttftMeanMs: number;
  readonly ttftP50Ms: number;
  readonly ttftP90Ms: number;
  readonly ttftP99Ms: number;
  readonly totalMeanMs: number;
  /** Share of the prompt tokens that engines had cached. */
  readonly hitRatio: number;
  /** Requests of the engine that got the most, to the mean. */
  readonly maxToMeanLoad: number;
  /** Answers that ended while requests were measured, whenever they began. */
  readonly answersPerSecond: number;
}

/** Collects what became of each measured request. */
export class Measures {
  public offered = 0;
  /** Answers that ended between the instants from and to which requests are measured. */
  public answers = 0;
  private readonly all: Served[] = [];

  public served(request: Served): void {
    this.all.push(request);
  }

  /** @param measuredMs for how long requests were measured */
  public result(router: string, traffic: string, engines: readonly Engine[], measuredMs: number): RunResult {
    const { all } = this;
    const times = Float64Array.from(all, ({ firstByteMs }) => firstByteMs).sort();
    const bySlot = new Map<number, number>();
    for (const { slot } of all) bySlot.set(slot, (bySlot.get(slot) ?? 0) + 1);
    const prompt = sum(all, ({ promptTokens }) => promptTokens);
    return {
      router,
      traffic,
      servedRatio: all.length / this.offered,
      ttftMeanMs: sum(all, ({ firstByteMs }) => firstByteMs) / all.length,
      ttftP50Ms: times[Math.floor(0.5 * (times.length - 1))]!,
      ttftP90Ms: times[Math.floor(0.9 * (times.length - 1))]!,
      ttftP99Ms: times[Math.floor(0.99 * (times.length - 1))]!,
      totalMeanMs: sum(all, ({ totalMs }) => totalMs) / all.length,
      hitRatio: sum(all, ({ cachedTokens }) => cachedTokens) / prompt,
      maxToMeanLoad: (Math.max(...bySlot.values()) * engines.length) / all.length,
      answersPerSecond: (this.answers * 1e3) / measuredMs,
    };
  }
}

function sum(all: readonly Served[], value: (request: Served) => number): number {
  return all.reduce((total, request) => total + value(request), 0);
}
