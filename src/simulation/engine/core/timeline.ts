/** The time that a simulation lives in: virtual for simulations, the wall clock behind the HTTP shell. Engines know no other clock. */
export interface Timeline {
  /** Simulated milliseconds since the timeline began. */
  nowMs(): number;
  /** Runs `action` at `atMs` (at once if that has passed), after whatever was scheduled before for the same instant. */
  schedule(atMs: number, action: () => void): void;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Time that jumps from event to event: a binary heap ordered by instant, then by order of scheduling. */
export class VirtualTimeline implements Timeline {
  private clockMs = 0;
  private scheduled = 0;
  private readonly heap: Event[] = [];

  nowMs(): number {
    return this.clockMs;
  }

  schedule(atMs: number, action: () => void): void {
    const event = { atMs: Math.max(atMs, this.clockMs), order: this.scheduled++, action };
    let index = this.heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!earlier(event, this.heap[parent]!)) break;
      this.heap[index] = this.heap[parent]!;
      index = parent;
    }
    this.heap[index] = event;
  }

  /** Runs everything up to and including `untilMs` and leaves the clock there; without it until nothing is scheduled. */
  run(untilMs = Number.POSITIVE_INFINITY): void {
    while (this.heap.length > 0 && this.heap[0]!.atMs <= untilMs) {
      const event = this.pop();
      this.clockMs = event.atMs;
      event.action();
    }
    if (untilMs !== Number.POSITIVE_INFINITY) this.clockMs = Math.max(this.clockMs, untilMs);
  }

  private pop(): Event {
    const first = this.heap[0]!;
    const last = this.heap.pop()!;
    const length = this.heap.length;
    if (length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && earlier(this.heap[child + 1]!, this.heap[child]!)) child++;
      if (!earlier(this.heap[child]!, last)) break;
      this.heap[index] = this.heap[child]!;
      index = child;
    }
    this.heap[index] = last;
    return first;
  }
}

function earlier(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
