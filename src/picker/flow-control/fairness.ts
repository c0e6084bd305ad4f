import type { Flow } from './flow';
import { IndexedHeap } from './indexed-heap';
import type { Fairness } from './settings';

/** Whose turn it is among the flows of a band that have somebody waiting. */
export interface Turns<T> {
  /** The flow has somebody waiting now. */
  add(flow: Flow<T>): void;
  /** It has nobody waiting any more. */
  remove(flow: Flow<T>): void;
  next(): Flow<T> | undefined;
  /** One of its requests was served; it may still have others. */
  served(flow: Flow<T>): void;
  /** Its rank has changed, whether it has somebody waiting or not. */
  changed(flow: Flow<T>): void;
}

export function turnsFor<T>(fairness: Fairness): Turns<T> {
  return fairness === 'attainedService' ? new LeastServed() : new InTurn();
}

/** One request of each flow, then the next of each. With `none` there is only one flow. */
class InTurn<T> implements Turns<T> {
  /** In the order of insertion. */
  private readonly flows = new Set<Flow<T>>();

  public add(flow: Flow<T>): void {
    this.flows.add(flow);
  }

  public remove(flow: Flow<T>): void {
    this.flows.delete(flow);
  }

  public next(): Flow<T> | undefined {
    return this.flows.values().next().value;
  }

  public served(flow: Flow<T>): void {
    if (this.flows.delete(flow)) this.flows.add(flow);
  }

  public changed(): void {
    // turns do not depend on what was used
  }
}

/** The flow that has used least (VTC, arXiv 2401.00588); among equals the one that came first. */
class LeastServed<T> implements Turns<T> {
  private readonly flows = new IndexedHeap<Flow<T>>((a, b) => a.rank < b.rank || (a.rank === b.rank && a.since < b.since));

  public add(flow: Flow<T>): void {
    this.flows.add(flow.turn);
  }

  public remove(flow: Flow<T>): void {
    this.flows.remove(flow.turn);
  }

  public next(): Flow<T> | undefined {
    return this.flows.first;
  }

  public served(flow: Flow<T>): void {
    this.changed(flow);
  }

  public changed(flow: Flow<T>): void {
    if (flow.turn.at >= 0) this.flows.moved(flow.turn);
  }
}
