import type { Clock } from '../../shared/clock';
import type { EndpointSnapshot } from './interface/endpoint-snapshot';

interface Binding {
  slot: number;
  generation: number;
  usedAtMs: number;
}

/** Which endpoint each session was last sent to. Bounded in number and in time; of too many the least recently used go. */
export class SessionBindings {
  private readonly bindings = new Map<string, Binding>();

  public constructor(
    private readonly clock: Clock,
    private readonly maxSessions: number,
    private readonly ttlMs: number,
  ) {}

  public get size(): number {
    return this.bindings.size;
  }

  /** Slot of the session's endpoint, if it is still there; -1 otherwise. */
  public find(session: string, { table }: EndpointSnapshot): number {
    const binding = this.bindings.get(session);
    if (binding === undefined) return -1;
    const nowMs = this.clock.nowMs();
    if (nowMs - binding.usedAtMs > this.ttlMs || table.generation[binding.slot] !== binding.generation) {
      this.bindings.delete(session);
      return -1;
    }
    binding.usedAtMs = nowMs;
    return binding.slot;
  }

  public bind(session: string, slot: number, { table }: EndpointSnapshot): void {
    const binding = this.bindings.get(session) ?? { slot, generation: 0, usedAtMs: 0 };
    binding.slot = slot;
    binding.generation = table.generation[slot]!;
    binding.usedAtMs = this.clock.nowMs();
    // a map keeps the order of insertion, so what is put in again moves behind the others
    this.bindings.delete(session);
    this.bindings.set(session, binding);
    this.expire(binding.usedAtMs);
  }

  private expire(nowMs: number): void {
    for (const [session, { usedAtMs }] of this.bindings) {
      if (this.bindings.size <= this.maxSessions && nowMs - usedAtMs <= this.ttlMs) return;
      this.bindings.delete(session);
    }
  }
}
