import { DEFAULT_POOL_GROUP, EXPERIMENTAL_POOL_GROUP } from '../../picker-config/picker-policy';
import type { ModelRewrite, ModelRewrites, RewriteRule, RewriteTarget } from '../datastore/model-rewrites';
import type { Objectives } from '../datastore/objectives';
import type { SourceStatus } from '../discovery/endpoint-discovery';
import type { KubeObject } from './cluster-watch';
import type { PoolName } from './pool-discovery';
import { ResourceWatch } from './resource-watch';
import type { WatchHost } from './watch-host';

/** The group of llm-d, and the one that its kinds had in the inference extension; where both name an objective, the first counts. */
const GROUPS = ['llm-d.ai', EXPERIMENTAL_POOL_GROUP] as const;
const VERSION = 'v1alpha2';

interface PoolRef {
  readonly group?: string;
  readonly name?: string;
}

interface ObjectiveSpec {
  readonly poolRef?: PoolRef;
  readonly priority?: number;
}

interface RewriteSpec {
  readonly poolRef?: PoolRef;
  readonly rules?: readonly RuleSpec[];
}

interface RuleSpec {
  readonly matches?: readonly { readonly model?: { readonly value?: string } }[];
  readonly targets?: readonly TargetSpec[];
  /** Name of `targets` in the inference extension 1.2. */
  readonly split?: readonly TargetSpec[];
}

interface TargetSpec {
  readonly modelRewrite?: string;
  readonly weight?: number;
}

interface Objective {
  readonly name: string;
  readonly priority: number;
}

/** Keeps the objectives and model rewrites of one pool as llm-d's picker does. Clusters without these kinds have none. */
export class LlmdPolicies {
  private readonly objectiveWatches: readonly ResourceWatch<Objective>[];
  private readonly rewriteWatches: readonly ResourceWatch<ModelRewrite>[];

  public constructor(
    host: WatchHost,
    pool: PoolName,
    private readonly objectives: Objectives,
    private readonly rewrites: ModelRewrites,
  ) {
    const follow = <T>(
      resource: string,
      parse: (object: KubeObject) => T | undefined,
      onChange: () => void,
    ): ResourceWatch<T>[] =>
      GROUPS.map((group) => {
        const target = { group, version: VERSION, resource, namespace: pool.namespace };
        return new ResourceWatch(host, { target, parse, onChange, isOptional: true });
      });
    this.objectiveWatches = follow('inferenceobjectives', (object) => parseObjective(object, pool), this.publishObjectives);
    this.rewriteWatches = follow('inferencemodelrewrites', (object) => parseRewrite(object, pool), this.publishRewrites);
  }

  public start(): void {
    for (const watch of this.watches()) watch.start();
  }

  public stop(): void {
    for (const watch of this.watches()) watch.stop();
  }

  public statuses(): readonly SourceStatus[] {
    return this.watches().map(({ status }) => status);
  }

  private watches(): ResourceWatch<unknown>[] {
    return [...this.objectiveWatches, ...this.rewriteWatches] as ResourceWatch<unknown>[];
  }

  private readonly publishObjectives = (): void => {
    const priorities = new Map<string, number>();
    for (const { items } of this.objectiveWatches) {
      for (const { name, priority } of items.values()) if (!priorities.has(name)) priorities.set(name, priority);
    }
    this.objectives.replaceAll(priorities);
  };

  private readonly publishRewrites = (): void => {
    this.rewrites.replaceAll(this.rewriteWatches.flatMap(({ items }) => [...items.values()]));
  };
}

export function parseObjective({ metadata, spec }: KubeObject, pool: PoolName): Objective | undefined {
  const { poolRef, priority = 0 } = (spec ?? {}) as ObjectiveSpec;
  return refersTo(poolRef, pool) ? { name: metadata.name, priority } : undefined;
}

/** An object of a cluster, or of a manifest that no cluster has seen. */
export interface RewriteObject {
  readonly metadata: Pick<KubeObject['metadata'], 'name' | 'creationTimestamp'>;
  readonly spec?: unknown;
}

export function parseRewrite({ metadata, spec }: RewriteObject, pool: PoolName): ModelRewrite | undefined {
  const { poolRef, rules = [] } = (spec ?? {}) as RewriteSpec;
  if (!refersTo(poolRef, pool)) return undefined;
  return { name: metadata.name, createdAt: metadata.creationTimestamp ?? '', rules: rules.map(parseRule) };
}

function parseRule({ matches = [], targets, split = [] }: RuleSpec): RewriteRule {
  return {
    models: matches.flatMap(({ model }) => (model?.value === undefined ? [] : [model.value])),
    targets: (targets ?? split).flatMap(({ modelRewrite, weight }): RewriteTarget[] => {
      if (modelRewrite === undefined) return [];
      return [weight === undefined ? { model: modelRewrite } : { model: modelRewrite, weight }];
    }),
  };
}

function refersTo({ group = DEFAULT_POOL_GROUP, name }: PoolRef = {}, pool: PoolName): boolean {
  return name === pool.name && group === pool.group;
}
