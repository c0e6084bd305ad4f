import { Construct, type IConstruct } from 'constructs';
import type { IInferencePool } from './inference-pool';
import { refuse } from './internal/errors';
import { Criticality } from './values/criticality';
import type { Stickiness } from './values/stickiness';

/** Where a share of a model's requests goes. */
export interface ModelTarget {
  /** Pool whose engines answer. */
  readonly pool: IInferencePool;
  /** Name that the engines of the pool serve, for example a LoRA adapter. @default - the model's own name */
  readonly servedName?: string;
  /** Share of the requests: set it on all targets of a model or on none. 1 to 1,000,000. @default - equal shares */
  readonly weight?: number;
}

/** What `addModel` takes beside the model's name. */
export interface InferenceModelOptions {
  /** The pool that serves the model. @default - `targets` */
  readonly pool?: IInferencePool;
  /** Several pools or served names with weights: a canary. @default - `pool` */
  readonly targets?: ModelTarget[];
  /** Other names that clients may use. @default - none */
  readonly aliases?: string[];
  /** What its requests are worth when the pool is full. @default Criticality.STANDARD */
  readonly criticality?: Criticality;
  /** LoRA adapters of the model's engines that clients may name as models. @default - none */
  readonly adapters?: string[];
  /** Pool that is used while no target has a ready endpoint. @default - none: such requests fail with 503 */
  readonly fallbackPool?: IInferencePool;
  /**
   * Keeps the requests of a session at one of the targets. Only with this project's picker.
   * @default - chance chooses for each request
   */
  readonly stickiness?: Stickiness;
}

/** Properties of {@link InferenceModel}. */
export interface InferenceModelProps extends InferenceModelOptions {
  /** What clients write in `model`. 1 to 256 characters without spaces. */
  readonly modelName: string;
}

/** A model under the name that clients know. */
export interface IInferenceModel extends IConstruct {
  readonly modelName: string;
  readonly aliases: readonly string[];
  readonly criticality: Criticality;
  readonly targets: readonly ResolvedTarget[];
  readonly adapters: readonly string[];
  readonly fallbackPool: IInferencePool | undefined;
  readonly stickiness: Stickiness | undefined;
}

/** A target with the name under which the engines serve the model. */
export interface ResolvedTarget {
  readonly pool: IInferencePool;
  readonly servedName: string;
  readonly weight: number | undefined;
}

/**
 * What users of the API think in: a name, and which engines answer to it. Becomes the picker's policy, and the objects of the
 * chosen API generation where they exist.
 *
 * @throws AIG465 for a name that is none, AIG466 without a target or with weights on some of them, AIG467 for an adapter that no
 *   engine has, AIG468 for a pool with two names for the model, AIG469 for a fallback pool that is a target
 */
export class InferenceModel extends Construct implements IInferenceModel {
  public readonly modelName: string;
  public readonly aliases: readonly string[];
  public readonly criticality: Criticality;
  public readonly targets: readonly ResolvedTarget[];
  public readonly adapters: readonly string[];
  public readonly fallbackPool: IInferencePool | undefined;
  public readonly stickiness: Stickiness | undefined;

  public constructor(scope: Construct, id: string, props: InferenceModelProps) {
    super(scope, id);
    this.modelName = this.checkedName(props.modelName);
    this.aliases = (props.aliases ?? []).map((alias) => this.checkedName(alias));
    this.criticality = props.criticality ?? Criticality.STANDARD;
    this.adapters = (props.adapters ?? []).map((adapter) => this.checkedName(adapter));
    this.fallbackPool = props.fallbackPool;
    this.stickiness = props.stickiness;
    this.targets = this.resolvedTargets(props);
    for (const adapter of this.adapters) this.checkAdapter(adapter);
    if (props.fallbackPool !== undefined) this.checkFallback(props.fallbackPool);
  }

  private resolvedTargets(props: InferenceModelProps): ResolvedTarget[] {
    const targets = props.targets ?? (props.pool === undefined ? [] : [{ pool: props.pool }]);
    if (targets.length === 0 || (props.pool !== undefined && props.targets !== undefined)) {
      refuse(this, {
        code: 'AIG466',
        what: targets.length === 0 ? `nothing serves the model '${this.modelName}'` : 'pool and targets are given together',
        allowed: 'pool or targets',
        fix: 'pass the pool, or the pools with their weights',
      });
    }
    const weights = targets.map((target) => target.weight);
    const weighted = weights.filter((weight) => weight !== undefined);
    const wrong = weighted.find((weight) => !Number.isInteger(weight) || weight < 1 || weight > 1_000_000);
    if (wrong !== undefined || (weighted.length > 0 && weighted.length < weights.length)) {
      refuse(this, {
        code: 'AIG466',
        what: 'these weights cannot be used',
        value: weights.map((weight) => weight ?? 'none'),
        allowed: 'whole numbers from 1 to 1000000, on all targets or on none',
        fix: 'give every target a weight, or leave out the target that shall get nothing',
      });
    }
    return targets.map((target) => ({
      pool: target.pool,
      servedName: servedNameIn(this, target.pool, target.servedName ?? this.modelName),
      weight: target.weight,
    }));
  }

  private checkedName(name: string): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
    if (typeof name !== 'string' || name.length < 1 || name.length > 256 || /[\s"\\\u0000-\u001f]/.test(name)) {
      refuse(this, {
        code: 'AIG465',
        what: 'this is no name for a model',
        value: name,
        allowed: '1 to 256 characters without spaces, quotes and backslashes',
        fix: 'choose another name',
      });
    }
    return name;
  }

  private checkFallback(pool: IInferencePool): void {
    if (this.targets.some((target) => target.pool === pool)) {
      refuse(this, {
        code: 'AIG469',
        what: 'the fallback pool of a model is another one than its targets',
        value: pool.poolName,
        fix: 'name another pool, or leave fallbackPool out',
      });
    }
    const served = servedNameIn(this, pool, this.modelName);
    if (served !== this.modelName) {
      refuse(this, {
        code: 'AIG469',
        what: `the engines of the fallback pool '${pool.poolName}' do not answer to the model's name`,
        value: served,
        allowed: this.modelName,
        fix: `add '${this.modelName}' to their servedModelNames, or leave servedModelNames out`,
      });
    }
  }

  private checkAdapter(adapter: string): void {
    const pools = [...this.targets.map(({ pool }) => pool), ...(this.fallbackPool === undefined ? [] : [this.fallbackPool])];
    for (const pool of pools) {
      const without = pool.backends.find((backend) => !backend.adapters.includes(adapter));
      if (without === undefined) continue;
      refuse(this, {
        code: 'AIG467',
        what: `the engines of ${without.node.path} have no adapter of that name`,
        value: adapter,
        allowed: without.adapters.length === 0 ? 'none: the backend loads no adapters' : without.adapters.join(', '),
        fix: 'add the adapter to the VllmBackend, or drop it here',
      });
    }
  }
}

/** Makes the pool's engines answer to `name` where they can; else the name to rewrite a request to. */
function servedNameIn(scope: IConstruct, pool: IInferencePool, name: string): string {
  const served = new Set(pool.backends.map((backend) => (backend.adapters.includes(name) ? name : backend.serveAs(name))));
  if (served.size > 1) {
    refuse(scope, {
      code: 'AIG468',
      what: `the backends of pool '${pool.poolName}' serve the model under different names`,
      value: [...served],
      fix: 'give them the same servedModelNames, or none',
    });
  }
  return [...served][0] ?? name;
}
