import { cpuMs, memoryMb } from '../../bench/support/process-usage';
import type { Load } from '../support/load';

/** One interval of a run. */
export interface Sample {
  /** Since the beginning of the run. */
  readonly seconds: number;
  /** Whole answers. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** By process, at the end of the interval. */
  readonly rssMb: Readonly<Record<string, number>>;
  /** By process, in the interval. */
  readonly cores: Readonly<Record<string, number>>;
}

/** Looks at processes and at the answers of a load from time to time. */
export class Sampler {
  private readonly beganMs = performance.now();
  private lastMs = this.beganMs;
  private lastCpuMs: Readonly<Record<string, number>>;

  public constructor(
    private readonly processes: Readonly<Record<string, number>>,
    private readonly load: Load,
  ) {
    this.lastCpuMs = this.of(cpuMs);
  }

  public take(): Sample {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.lastMs;
    const cpu = this.of(cpuMs);
    const latencies = this.load.takeLatencies().sort((a, b) => a - b);
    const at = (ratio: number): number =>
      latencies[Math.min(latencies.length - 1, Math.floor(ratio * latencies.length))] ?? Number.NaN;
    const sample: Sample = {
      seconds: (nowMs - this.beganMs) / 1000,
      perSecond: (latencies.length / elapsedMs) * 1000,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      rssMb: this.of((pid) => memoryMb(pid).rss),
      cores: Object.fromEntries(Object.entries(cpu).map(([name, ms]) => [name, (ms - this.lastCpuMs[name]!) / elapsedMs])),
    };
    this.lastMs = nowMs;
    this.lastCpuMs = cpu;
    return sample;
  }

  private of(measure: (pid: number) => number): Record<string, number> {
    return Object.fromEntries(Object.entries(this.processes).map(([name, pid]) => [name, measure(pid)]));
  }
}
