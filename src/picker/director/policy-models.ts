import type { PickerPolicy, PolicyModel, PolicyStickiness } from '../../picker-config/picker-policy';
import type { Attempt, PoolRoute } from './pool-route';
import { type StickyTarget, stickySeed } from './sticky-choice';

/** A model of the policy, ready to be routed. */
export interface RoutedModel {
  /** Name that clients know. */
  readonly name: string;
  readonly priority: number;
  /** For each target, the pools to try in turn when chance chooses it: the target, the other targets, the fallbacks. */
  readonly choices: readonly Choice[];
  /** What keeps a session at its target. @default nothing does */
  readonly stickiness: PolicyStickiness | undefined;
}

/** One target's turn. */
export interface Choice extends StickyTarget {
  /** Chance falls below this number, of 1 in total. */
  readonly upTo: number;
  readonly attempts: readonly Attempt[];
}

/** Every name that a client may use: models, their aliases, and LoRA adapters. */
export class PolicyModels {
  private readonly byName = new Map<string, RoutedModel>();

  public constructor(
    private readonly policy: PickerPolicy,
    private readonly pools: ReadonlyMap<string, PoolRoute>,
  ) {
    for (const model of policy.models) {
      const routed = this.routed(model, model.name, undefined);
      for (const name of [model.name, ...model.aliases]) this.byName.set(name, routed);
      for (const adapter of model.adapters) {
        this.byName.set(adapter.name, this.routed(model, adapter.name, adapter.model ?? adapter.name));
      }
    }
  }

  public get(name: string): RoutedModel | undefined {
    return this.byName.get(name);
  }

  /** All names, sorted. */
  public get names(): string[] {
    return [...this.byName.keys()].sort();
  }

  /** @param servedName the adapter's name; undefined for the target's */
  private routed(model: PolicyModel, name: string, servedName: string | undefined): RoutedModel {
    const attempts = model.targets.map((target) => this.attempt(target.pool, servedName ?? target.model ?? model.name));
    const weights = model.targets.map((target) => target.weight ?? 1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const later = this.fallbacks(model, servedName ?? model.name);
    let sum = 0;
    const choices = attempts.map((attempt, index): Choice => {
      const weight = weights[index]!;
      sum += weight;
      return {
        upTo: sum / total,
        weight,
        seed: stickySeed(model.name, ...targetKey(model, index)),
        attempts: [attempt, ...attempts.filter((other) => other !== attempt), ...later],
      };
    });
    return { name, priority: model.priority, choices, stickiness: model.stickiness };
  }

  /** The model's fallback pool, then those of its pools and their own, each once. */
  private fallbacks(model: PolicyModel, servedName: string): Attempt[] {
    const seen = new Set(model.targets.map(({ pool }) => pool));
    const queue = [model.fallbackPool, ...model.targets.map(({ pool }) => this.fallbackOf(pool))];
    const found: Attempt[] = [];
    for (let index = 0; index < queue.length; index++) {
      const pool = queue[index];
      if (pool === undefined || seen.has(pool)) continue;
      seen.add(pool);
      found.push(this.attempt(pool, servedName));
      queue.push(this.fallbackOf(pool));
    }
    return found;
  }

  private fallbackOf(pool: string): string | undefined {
    return this.policy.pools.find(({ name }) => name === pool)?.fallbackPool;
  }

  private attempt(pool: string, targetModel: string): Attempt {
    // the parser has checked that every pool that is named exists
    return { pool: this.pools.get(pool)!, targetModel };
  }
}

/** Of what a target is, not of its place; the adapters of a model are where the model is. */
function targetKey({ name, targets }: PolicyModel, index: number): string[] {
  const keys = targets.map(({ pool, model = name }) => [pool, model]);
  const [pool, model] = keys[index]!;
  const twins = keys.slice(0, index).filter((key) => key[0] === pool && key[1] === model).length;
  return [pool!, model!, String(twins)];
}
