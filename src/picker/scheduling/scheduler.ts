import type { Clock } from '../../shared/clock';
import type { CircuitBreaker } from './circuit-breaker';
import type { DecisionRecord } from './decision-record';
import { Flight, type FlightOutcome } from './flight';
import { FlightBook, followReports, prefillTokensAt } from './flight-book';
import type { EndpointSnapshot, EndpointSource } from './interface/endpoint-snapshot';
import type { ProfileHandler } from './interface/plugins';
import { promptTokens } from './interface/prompt-tokens';
import type { SchedulingRequest } from './interface/scheduling-request';
import type { LearnedSpeed } from './learned-speed';
import type { ApproxPrefixCacheProducer } from './plugins/producer/approx-prefix-cache-producer/approx-prefix-cache-producer';
import { type Profile, ProfileOutcome } from './profile';
import { TrustKeeper, type TrustOptions } from './trust';

/** What `schedule` found. One object, used again for every request: take what you need before the next call. */
export interface ScheduleResult {
  /** How it ended; the rest is only valid for `ProfileOutcome.PICKED`. */
  readonly outcome: ProfileOutcome;
  /** `ip:port[,ip:port…]`, best first. */
  readonly destination: string;
  /** Slot of the first. */
  readonly slot: number;
  /** Headers for the client that the answer must carry, name and value in turn; undefined for none. */
  readonly answerHeaders: readonly string[] | undefined;
  /** For `answered` and `settle`; made for this request, may be kept. */
  readonly flight: Flight;
}

/** Timing plugins costs about as much as running them. */
const TIMED_INTERVAL = 64;

const NO_FLIGHT = new Flight(-1, 0, '', 0, 0, 0, 0, 0);

class MutableResult implements ScheduleResult {
  public outcome: ProfileOutcome = ProfileOutcome.NO_ENDPOINTS;
  public destination = '';
  public slot = -1;
  public answerHeaders: readonly string[] | undefined;
  public flight = NO_FLIGHT;
}

export interface SchedulerParts {
  readonly profiles: readonly Profile[];
  /** The same profiles with their plugins timed, for one decision of many. @default none is timed */
  readonly timed?: readonly Profile[];
  readonly handler: ProfileHandler;
  /** All endpoints. Pools are views of the same table. */
  readonly source: EndpointSource;
  readonly clock: Clock;
  readonly speed: LearnedSpeed;
  readonly breaker: CircuitBreaker;
  readonly trust: TrustOptions;
  /** What is guessed of prefix caches, by the name of the producer. */
  readonly prefixes: ReadonlyMap<string, ApproxPrefixCacheProducer>;
}

/**
 * Chooses endpoints for requests, and keeps the books of those under way. Everything that it knows of the world is handed to it: the
 * snapshot in force, the clock, and (in its plugins) the source of chance; so a simulation can run it in virtual time.
 */
export class Scheduler {
  private readonly keeper: TrustKeeper;
  private readonly result = new MutableResult();
  private readonly book: FlightBook;
  private decisions = 0;
  private readonly profileNames: readonly string[];

  public constructor(private readonly parts: SchedulerParts) {
    this.keeper = new TrustKeeper(parts.trust);
    this.book = new FlightBook(parts.speed, parts.breaker);
    this.profileNames = parts.profiles.map(({ name }) => name);
  }

  /** What is guessed of prefix caches, by the name of the producer. */
  public get prefixes(): ReadonlyMap<string, ApproxPrefixCacheProducer> {
    return this.parts.prefixes;
  }

  /** How long it believes reports: whoever else keeps the table's column must do so for as long. */
  public get trust(): TrustOptions {
    return this.parts.trust;
  }

  /** A record to hand to `schedule`. */
  public newRecord(): DecisionRecord {
    return this.parts.profiles[0]!.newRecord();
  }

  /**
   * Chooses, and counts the request as in flight at the first endpoint: `settle` must be called once for every result with the outcome
   * PICKED.
   * @param record is filled with the reasons, for a price of about the decision itself
   * @param pool the endpoints to choose from: all of them, or a view of their table
   */
  public schedule(request: SchedulingRequest, record?: DecisionRecord, pool: EndpointSource = this.parts.source): ScheduleResult {
    const { result } = this;
    const { handler, source, clock, timed } = this.parts;
    const profiles = timed !== undefined && this.decisions++ % TIMED_INTERVAL === 0 ? timed : this.parts.profiles;
    const { snapshot } = pool;
    const nowMs = clock.nowMs();
    this.keeper.refresh(source.snapshot, nowMs);
    followReports(snapshot, nowMs);
    const choice = handler.choose(request, this.profileNames);
    result.outcome = choice < 0 ? ProfileOutcome.UNKNOWN_PROFILE : profiles[choice]!.run(request, snapshot, nowMs, record);
    if (result.outcome !== ProfileOutcome.PICKED) {
      result.destination = '';
      result.slot = -1;
      result.flight = NO_FLIGHT;
      return result;
    }
    const profile = profiles[choice]!;
    const slot = profile.picked[0]!;
    result.slot = slot;
    result.answerHeaders = profile.answerHeaders(snapshot, slot);
    result.flight = this.depart(request, profile, snapshot, slot, nowMs);
    let destination = snapshot.endpoints[slot]!.hostPort;
    for (let i = 1; i < profile.pickedCount; i++) destination += `,${snapshot.endpoints[profile.picked[i]!]!.hostPort}`;
    result.destination = destination;
    return result;
  }

  /** The answer has begun. Optional: `settle` makes up for it. */
  public answered(flight: Flight): void {
    this.book.answered(this.parts.source.snapshot.table, flight);
  }

  /** The request is over, in a way that `outcome` tells. An endpoint that has left meanwhile took its counts with it. */
  public settle(flight: Flight, outcome?: FlightOutcome): void {
    this.book.settled(this.parts.source.snapshot.table, flight, outcome, this.parts.clock.nowMs());
  }

  private depart(request: SchedulingRequest, profile: Profile, { table }: EndpointSnapshot, slot: number, nowMs: number): Flight {
    const tokens = promptTokens(request);
    const cached = profile.cachedTokens(slot);
    const flight = new Flight(
      slot,
      table.generation[slot]!,
      request.targetModel,
      nowMs,
      tokens,
      cached < tokens ? tokens - cached : 0,
      prefillTokensAt(table, slot),
      this.parts.speed.outputTokens(request.targetModel, request.maxTokens, tokens),
    );
    this.book.departed(table, flight);
    return flight;
  }
}
