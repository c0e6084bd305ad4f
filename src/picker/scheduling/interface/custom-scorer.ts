import { PLUGIN_CONTRACT } from '../../../picker-config/plugin-contract';

/** What a scorer may know of a request; the part of the scheduler's own view that stays as it is. Keep nothing of it. */
export interface ScoringRequest {
  /** Model as the client named it. */
  readonly model: string;
  /** Model as the engine will see it: the base model, or an adapter. */
  readonly targetModel: string;
  /** The body as it came; undefined for a request without one. */
  readonly body: Uint8Array | undefined;
  /** Where the prompt is in the body: the value of `messages`, `prompt` or `input`. Empty or negative where there is none. */
  readonly promptStart: number;
  readonly promptEnd: number;
  /** The client's limit on the answer in tokens; -1 where it set none. */
  readonly maxTokens: number;
  /** First value of a request header, by its lower-case name; undefined when absent. */
  header(name: string): string | undefined;
}

/** An endpoint that a request may go to, as it is at this moment. Read it while you score; keep nothing of it. */
export interface Candidate {
  /** For example the pod's name. */
  readonly name: string;
  /** `ip:port`, the address as the proxy wants it. */
  readonly hostPort: string;
  /** Labels of the pod, or of the endpoints file. */
  readonly labels: Readonly<Record<string, string>>;

  // reported by the engine, the last time that it answered
  /** Requests in the engine's queue. */
  readonly waiting: number;
  /** Requests that the engine works on. */
  readonly running: number;
  /** Share of the KV cache in use, 0 to 1. */
  readonly kvUsageRatio: number;
  /** Size of the KV cache in tokens; 0 while unknown. */
  readonly kvTokens: number;
  /** How busy the busiest of its GPUs is, 0 to 1; undefined where no DCGM exporter says so. */
  readonly gpuUsageRatio: number | undefined;
  /** How far the report can be believed, 1 (fresh) to 0 (none yet). */
  readonly trustRatio: number;

  // seen by the picker itself, and by its other replicas where they tell each other
  /** Requests there: the report, corrected by what was sent and settled since. */
  readonly load: number;
  /** Requests that are under way there. */
  readonly inFlight: number;
  /** Prompt tokens in line there: estimates, of requests whose answers have not begun. */
  readonly prefillTokens: number;
  /** Tokens that the answers under way there will probably have. */
  readonly outputTokensInFlight: number;
  /** Tokens of this request's prompt that the endpoint probably has cached; 0 unless the scorer has `usesPrefixCache`. */
  readonly cachedTokens: number;
  /** Measured milliseconds between output tokens; 0 while unknown. */
  readonly decodeMsPerToken: number;
}

/** Bounds of a numeric parameter, both included. */
export interface ParameterBounds {
  /** @default none */
  readonly min?: number;
  /** @default none */
  readonly max?: number;
}

/**
 * The scorer's `parameters` in the configuration. Whatever is wrong is reported with its file and line, and reading goes on with the
 * default. A parameter that is given and never read is reported as well.
 */
export interface ScorerParameters {
  number(key: string, fallback: number, bounds?: ParameterBounds): number;
  integer(key: string, fallback: number, bounds?: ParameterBounds): number;
  boolean(key: string, fallback: boolean): boolean;
  text(key: string, fallback: string): string;
  oneOf<const T extends string>(key: string, allowed: readonly T[], fallback: T): T;
}

/**
 * Values one endpoint for one request: 1 is best, 0 is worst. Runs on the way of every request, so it must be quick and wait for nothing.
 * @param candidates all that can be chosen, `endpoint` among them; the same list for all of them
 */
export type ScoreEndpoint = (request: ScoringRequest, endpoint: Candidate, candidates: readonly Candidate[]) => number;

/** What makes a scorer. */
export interface ScorerDefinition {
  /** Name in the configuration: lower-case letters, digits and dashes. */
  readonly type: string;
  /** True to have `cachedTokens` of the candidates worked out. @default false */
  readonly usesPrefixCache?: boolean;
  /** True when the score comes from what engines report, so that it counts less where the report is old. @default false */
  readonly usesMetrics?: boolean;
  /** Called once for each plugin of this type in the configuration, and anew when that changes. */
  create(parameters: ScorerParameters): ScoreEndpoint;
}

/** A scorer of your own, as the picker takes it. */
export interface CustomScorer extends ScorerDefinition {
  readonly contract: number;
  readonly kind: 'scorer';
}

/** Makes a scorer that the picker can load: export what it returns. */
export function defineScorer(definition: ScorerDefinition): CustomScorer {
  return { ...definition, contract: PLUGIN_CONTRACT, kind: 'scorer' };
}
