import type { Clock } from '../../shared/clock';
import type { DecisionRecord } from './decision-record';
import type { EndpointSource } from './interface/endpoint-snapshot';
import type { SchedulingRequest } from './interface/scheduling-request';
import { type Profile, ProfileOutcome } from './profile';
import { TrustKeeper } from './trust';

/** What `schedule` found. One object, used again for every request: take what you need before the next call. */
export interface ScheduleResult {
  /** How it ended; the rest is only valid for `ProfileOutcome.PICKED`. */
  readonly outcome: ProfileOutcome;
  /** `ip:port[,ip:port…]`, best first. */
  readonly destination: string;
  /** Slot of the first, for `settle`. */
  readonly slot: number;
  /** Generation of that slot, for `settle`. */
  readonly generation: number;
}

class MutableResult implements ScheduleResult {
  public outcome: ProfileOutcome = ProfileOutcome.NO_ENDPOINTS;
  public destination = '';
  public slot = -1;
  public generation = 0;
}

/**
 * Chooses endpoints for requests, and counts the requests in flight. Everything that it knows of the world is handed to it: the snapshot
 * in force, the clock, and (in its plugins) the source of chance; so a simulation can run it in virtual time.
 */
export class Scheduler {
  private readonly trust = new TrustKeeper();
  private readonly result = new MutableResult();

  public constructor(
    private readonly profile: Profile,
    private readonly source: EndpointSource,
    private readonly clock: Clock,
  ) {}

  /** A record to hand to `schedule`. */
  public newRecord(): DecisionRecord {
    return this.profile.newRecord();
  }

  /**
   * Chooses, and counts the request as in flight at the first endpoint: `settle` must be called once for every result with the outcome
   * PICKED.
   * @param record is filled with the reasons, for a price of about the decision itself
   */
  public schedule(request: SchedulingRequest, record?: DecisionRecord): ScheduleResult {
    const result = this.result;
    const profile = this.profile;
    const { snapshot } = this.source;
    this.trust.refresh(snapshot, this.clock.nowMs());
    result.outcome = profile.run(request, snapshot, record);
    if (result.outcome !== ProfileOutcome.PICKED) {
      result.destination = '';
      result.slot = -1;
      return result;
    }
    const slot = profile.picked[0]!;
    result.slot = slot;
    result.generation = snapshot.table.generation[slot]!;
    snapshot.table.inFlight[slot] = snapshot.table.inFlight[slot]! + 1;
    let destination = snapshot.endpoints[slot]!.hostPort;
    for (let i = 1; i < profile.pickedCount; i++) destination += `,${snapshot.endpoints[profile.picked[i]!]!.hostPort}`;
    result.destination = destination;
    return result;
  }

  /** The request is over. An endpoint that has left meanwhile took its count with it. */
  public settle(slot: number, generation: number): void {
    const { table } = this.source.snapshot;
    if (table.generation[slot] === generation) table.inFlight[slot] = table.inFlight[slot]! - 1;
  }
}
