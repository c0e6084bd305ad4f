import { checkedNumbers, givenParameters, type NumberRule, type PluginEntry, type PluginParameters } from './scoring-plugin';

/** How long the reports of engines are believed. */
export interface ReportTrustOptions {
  /** Reports younger than this count fully. @default 250 */
  readonly graceMs?: number;
  /** Missed scrapes that are no sign of trouble yet, on top. @default 4 */
  readonly graceIntervals?: number;
  /** Beyond that, trust in a report halves every so often. @default 2000 */
  readonly halfLifeMs?: number;
}

/** When endpoints that fail are left out. */
export interface CircuitBreakerSignalOptions {
  /** Failures in a row (5xx but 501, or no answer). @default 5 */
  readonly failuresToEject?: number;
  /** First time without requests; each further one in a row lasts twice as long. @default 5 */
  readonly firstEjectionSeconds?: number;
  /** Longest time without requests. @default 300 */
  readonly maxEjectionSeconds?: number;
  /** Share of the candidates that may be left out, 0 to 1; 0 switches it off. @default 0.5 */
  readonly maxEjectedRatio?: number;
}

/** How the speed of engines is learned from the answers that pass, and what holds until then. */
export interface SpeedEstimatorOptions {
  /** Weight of a measurement when the next one comes, 0.5 to 1. @default 0.995 */
  readonly memoryRatio?: number;
  /** Share that one measurement has in an endpoint's slowness. @default 0.1 */
  readonly slownessGain?: number;
  /** Slowness below this counts as none. @default 1.5 */
  readonly unusualRatio?: number;
  /** Least that one measurement is taken for. @default 0.1 */
  readonly minSlownessRatio?: number;
  /** Most that one measurement is taken for. @default 20 */
  readonly maxSlownessRatio?: number;
  /** Time in which slowness without new measurements fades by half. @default 20 */
  readonly slownessHalfLifeSeconds?: number;
  /** Share that one answer has in the mean length and duration. @default 0.05 */
  readonly lengthGain?: number;
  /** Models whose answers' lengths are remembered. @default 256 */
  readonly maxModels?: number;
  /** Prompt tokens a second, until measured. @default 16000 */
  readonly priorPrefillTokensPerSecond?: number;
  /** Time to the first token of an empty prompt, until measured. @default 20 */
  readonly priorFirstTokenMs?: number;
  /** Time between two tokens of a lone request, until measured. @default 15 */
  readonly priorStepMs?: number;
  /** What each further request adds to it, until measured. @default 0.1 */
  readonly priorStepMsPerRequest?: number;
  /** Length of an answer, until measured. @default 256 */
  readonly priorOutputTokens?: number;
  /** Time that a request holds its place in the batch, until measured. @default 4 */
  readonly priorDurationSeconds?: number;
}

/** Where DCGM exporters tell how busy GPUs are. */
export interface GpuUsageOptions {
  /** Port of the exporter. @default 9400 */
  readonly port?: number;
  /** False for an exporter beside each engine, true for one on each node that names the pods of its GPUs. @default false */
  readonly useNodeAddress?: boolean;
}

const RATIO: NumberRule = { min: 0.001, max: 1 };
const MILLISECONDS: NumberRule = { min: 0, max: 600_000 };

/**
 * How the picker works out what it knows of endpoints, whatever the scorers: see `Scoring.withSignal`. Only this project's picker has these,
 * but for `gpuUsage`, which is llm-d's.
 */
export class PickerSignal {
  /** Trust in the reports of engines. @throws AIG451 */
  public static reportTrust(options: ReportTrustOptions): PickerSignal {
    return new PickerSignal(
      'report-trust',
      'PickerSignal.reportTrust',
      { ...options },
      {
        graceMs: MILLISECONDS,
        graceIntervals: { min: 0, max: 1_000 },
        halfLifeMs: { min: 100, max: 600_000 },
      },
    );
  }

  /** Leaving out endpoints that fail. @throws AIG451 */
  public static circuitBreaker(options: CircuitBreakerSignalOptions): PickerSignal {
    return new PickerSignal(
      'circuit-breaker',
      'PickerSignal.circuitBreaker',
      { ...options },
      {
        failuresToEject: { min: 1, max: 1_000_000, integer: true },
        firstEjectionSeconds: { min: 0.1, max: 86_400 },
        maxEjectionSeconds: { min: 0.1, max: 86_400 },
        maxEjectedRatio: { min: 0, max: 1 },
      },
    );
  }

  /** The speed of engines. @throws AIG451 */
  public static speedEstimator(options: SpeedEstimatorOptions): PickerSignal {
    return new PickerSignal(
      'speed-estimator',
      'PickerSignal.speedEstimator',
      { ...options },
      {
        memoryRatio: { min: 0.5, max: 1 },
        slownessGain: RATIO,
        unusualRatio: { min: 1, max: 1_000 },
        minSlownessRatio: RATIO,
        maxSlownessRatio: { min: 1, max: 1_000 },
        slownessHalfLifeSeconds: { min: 0.1, max: 86_400 },
        lengthGain: RATIO,
        maxModels: { min: 1, max: 100_000, integer: true },
        priorPrefillTokensPerSecond: { min: 1, max: 1e9 },
        priorFirstTokenMs: MILLISECONDS,
        priorStepMs: MILLISECONDS,
        priorStepMsPerRequest: MILLISECONDS,
        priorOutputTokens: { min: 1, max: 1e6 },
        priorDurationSeconds: { min: 0.001, max: 86_400 },
      },
    );
  }

  /**
   * How busy GPUs are, as NVIDIA's DCGM exporter tells: for the scorer or filter `endpoint-attribute-…` under `GPUUtilization/dcgm-extractor`, and
   * for scorers of your own. Of llm-d, which calls it Alpha: the picker needs the argument `--allow-experimental-plugins`.
   * @throws AIG451
   */
  public static gpuUsage(options: GpuUsageOptions = {}): PickerSignal {
    const { useNodeAddress, ...numbers } = options;
    const rules = { port: { min: 1, max: 65_535, integer: true } };
    const factory = 'PickerSignal.gpuUsage';
    return new PickerSignal('dcgm-data-source', factory, numbers, rules, { useNodeAddress }, 'dcgm-extractor');
  }

  /** @internal */
  public readonly _entry: PluginEntry;

  private constructor(
    /** Type in the configuration. */
    public readonly type: string,
    factory: string,
    options: { readonly [name: string]: number | undefined },
    rules: { readonly [name: string]: NumberRule },
    others: PluginParameters = {},
    /** Type of what reads the source of data that this is. @internal */
    public readonly _extractor?: string,
  ) {
    this._entry = { type, parameters: givenParameters({ ...checkedNumbers(factory, options, rules), ...others }) };
  }
}
