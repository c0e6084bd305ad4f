import type { LimitRule } from '../limit-rule';

/** Of one limit. */
const MAX_KEYS = 1_000;

/** The keys that this picker has asked for last: what it can tell of a store that others fill too. */
export class SeenKeys {
  private readonly byLimit = new Map<string, Set<string>>();

  public add({ identity }: LimitRule, key: string): void {
    let keys = this.byLimit.get(identity);
    if (keys === undefined) this.byLimit.set(identity, (keys = new Set()));
    // the oldest goes first
    keys.delete(key);
    keys.add(key);
    if (keys.size > MAX_KEYS) keys.delete(keys.values().next().value!);
  }

  public of({ identity }: LimitRule): string[] {
    return [...(this.byLimit.get(identity) ?? [])];
  }
}
