import type { EndpointStore } from '../../picker/datastore/endpoint-store';
import type { Flight } from '../../picker/scheduling/flight';
import type { SchedulingRequest } from '../../picker/scheduling/interface/scheduling-request';
import { ProfileOutcome } from '../../picker/scheduling/profile';
import { buildScheduler, type SchedulingConfig } from '../../picker/scheduling/scheduler-builder';
import type { Clock } from '../../shared/clock';
import { formatProblem } from '../../shared/problem';
import { type RandomSource, SeededRandom } from '../../shared/random';
import type { TrafficRequest } from './traffic';

const BASE_MODEL = 'simulated';

/** How a request that was routed ended. */
export interface RoutedOutcome {
  readonly status: number;
  readonly outputTokens: number;
  readonly firstByteMs: number;
}

/** Chooses engines in a run. Slots are those of the store. */
export interface Router {
  readonly name: string;
  /** Slot, and what `answered` and `settled` want back; undefined when no engine can take the request. */
  route(request: TrafficRequest): { readonly slot: number; readonly ticket: unknown } | undefined;
  answered(ticket: unknown): void;
  settled(ticket: unknown, outcome: RoutedOutcome): void;
}

export interface RouterSurroundings {
  readonly store: EndpointStore;
  readonly clock: Clock;
  readonly seed: number;
}

export type RouterFactory = (surroundings: RouterSurroundings) => Router;

/** The picker's own scheduler under a configuration. */
export function pickerRouter(name: string, config: SchedulingConfig): RouterFactory {
  return ({ store, clock, seed }) => {
    const built = buildScheduler(config, { source: store, clock, random: new SeededRandom(seed) });
    if (built.scheduler === undefined) throw new Error(built.problems.map(formatProblem).join('\n'));
    const { scheduler } = built;
    return {
      name,
      route: (request) => {
        const { outcome, slot, flight } = scheduler.schedule(requestOf(request));
        return outcome === ProfileOutcome.PICKED ? { slot, ticket: flight } : undefined;
      },
      answered: (ticket) => scheduler.answered(ticket as Flight),
      settled: (ticket, outcome) => scheduler.settle(ticket as Flight, { ...outcome, cause: 'natural' }),
    };
  };
}

/** Any engine with the same chance. */
export const randomRouter: RouterFactory = ({ store, seed }) => {
  const random = new SeededRandom(seed);
  return {
    name: 'random',
    route: () => ready(store, (slots) => slots[Math.floor(random.next() * slots.length)]!),
    answered: nothing,
    settled: nothing,
  };
};

/** Envoy's LEAST_REQUEST: of two engines at random the one with fewer requests of this proxy under way. */
export const leastRequestRouter: RouterFactory = ({ store, seed }) => {
  const random = new SeededRandom(seed);
  const active = new Map<number, number>();
  const count = (slot: number): number => active.get(slot) ?? 0;
  const one = (slots: Int32Array, source: RandomSource): number => slots[Math.floor(source.next() * slots.length)]!;
  return {
    name: 'least-request',
    route: () => {
      const choice = ready(store, (slots) => {
        const [first, second] = [one(slots, random), one(slots, random)];
        return count(second) < count(first) ? second : first;
      });
      if (choice !== undefined) active.set(choice.slot, count(choice.slot) + 1);
      return choice;
    },
    answered: nothing,
    settled: (ticket) => active.set(ticket as number, count(ticket as number) - 1),
  };
};

function ready(
  { snapshot }: EndpointStore,
  choose: (slots: Int32Array) => number,
): { readonly slot: number; readonly ticket: unknown } | undefined {
  if (snapshot.ready.length === 0) return undefined;
  const slot = choose(snapshot.ready);
  return { slot, ticket: slot };
}

function nothing(): void {
  // keeps no books
}

function requestOf({ promptTokens, adapter = BASE_MODEL }: TrafficRequest): SchedulingRequest {
  const body = Buffer.from(promptTokens.buffer, promptTokens.byteOffset, promptTokens.byteLength);
  return {
    model: adapter,
    targetModel: adapter,
    body,
    promptStart: 0,
    promptEnd: body.length,
    cacheSalt: undefined,
    subset: undefined,
    maxTokens: -1,
    header: () => undefined,
  };
}
