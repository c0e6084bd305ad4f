import type { EndpointSnapshot } from './endpoint-snapshot';
import type { SchedulingRequest } from './scheduling-request';

/**
 * Plugins work on a list of candidates, which are slots of the snapshot's table: the first `count` elements of `candidates`. They run for
 * every request, so they loop over columns and allocate nothing for an endpoint.
 */

/** Narrows the candidates. */
export interface Filter {
  /** What must run before it. */
  readonly producer?: Producer;
  /** Moves the candidates to keep to the front, in their order, and returns how many there are. */
  filter(request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number;
}

/** Values candidates between 0 and 1. */
export interface Scorer {
  /** What must run before it. */
  readonly producer?: Producer;
  /** True when the score comes from scraped columns, and so counts less for an endpoint whose report is old. */
  readonly usesMetrics: boolean;
  /** Adds `weight` times the score of `candidates[k]` to `totals[k]`. */
  score(
    request: SchedulingRequest,
    snapshot: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void;
}

/** Chooses among the scored candidates. */
export interface Picker {
  /** Most endpoints that are chosen; those after the first are fallbacks. */
  readonly maxNumOfEndpoints: number;
  /** Writes positions in the candidate list to `picked`, best first, each once, and returns how many: 1 to `maxNumOfEndpoints`. */
  pick(totals: Float64Array, count: number, picked: Int32Array, snapshot: EndpointSnapshot, candidates: Int32Array): number;
}

/** Works out something about a request that scorers then use, and may remember where the request went. */
export interface Producer {
  /** What must run before it. */
  readonly requires?: Producer | undefined;
  prepare(request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): void;
  /** Called right after `prepare` of the same request, with the slot that it goes to. */
  picked(snapshot: EndpointSnapshot, slot: number): void;
  /** Headers that the client must get with the answer of a request that went to `slot`, name and value in turn. */
  answerHeaders?(snapshot: EndpointSnapshot, slot: number): readonly string[] | undefined;
  /** Tokens of the prepared request that the endpoint has cached, for producers that know. */
  cachedTokens?(slot: number): number;
  /** What else it knows of the endpoint's cache, for explanations. */
  cacheState?(slot: number): CacheState;
}

/** What a producer guesses of an endpoint's prefix cache, for one request. */
export interface CacheState {
  /** How full it is, 0 to 1. */
  readonly fillRatio: number;
  /** How long stays there what nobody asks for, in prompts sent anywhere; 0 where nothing is. */
  readonly lifetime: number;
  /** What using the cached part again takes from the rest, 0 to 1. */
  readonly refreshRatio: number;
  /** How often the cached part comes back, 0 to 1. */
  readonly demandRatio: number;
}

/** What is wrong with a set of profiles. */
export interface ProfileFault {
  readonly what: string;
  readonly allowed: string;
}

/** Says which profile runs. */
export interface ProfileHandler {
  /** Whether it can choose among these profiles. */
  check(profileNames: readonly string[]): ProfileFault | undefined;
  /** Index of the profile for a request; -1 when it asks for one that there is not. */
  choose(request: SchedulingRequest, profileNames: readonly string[]): number;
}
