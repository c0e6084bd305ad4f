import { createHash } from 'node:crypto';
import type { Construct } from 'constructs';
import type { IInferenceModel, ResolvedTarget } from '../inference-model';
import type { IInferencePool } from '../inference-pool';
import { emit, warn } from '../internal/emit';
import { refuse } from '../internal/errors';
import { ApiGeneration } from '../values/api-generation';
import type { ModelApi } from '../values/model-api';

/**
 * The objects that describe one model in the API that the cluster runs: InferenceModel for the generations that have it,
 * InferenceObjective and InferenceModelRewrite where a picker reads them, nothing where the policy of our own picker says it all.
 */
export function emitModelObjects(scope: Construct, model: IInferenceModel, api: ModelApi, names: ModelObjectNames): void {
  const pools = [...new Set(model.targets.map(({ pool }) => pool))];
  const legacy = pools.filter((pool) => pool.generation !== ApiGeneration.V1 && pool.hasObject);
  if (legacy.length > 0) emitInferenceModels(scope, model, pools, legacy[0]!, names);
  if (api.apiVersion !== undefined) for (const pool of pools) emitObjectiveAndRewrite(scope, model, pool, api, names);
}

/** One object per client-visible name: the kind has no aliases. Its pool is in the same namespace. */
function emitInferenceModels(
  scope: Construct,
  model: IInferenceModel,
  pools: readonly IInferencePool[],
  pool: IInferencePool,
  names: ModelObjectNames,
): void {
  if (pools.length > 1) {
    refuse(scope, {
      code: 'AIG480',
      what: `an InferenceModel of ${pool.generation.name} has one pool, and '${model.modelName}' has targets in several`,
      value: pools.map(({ poolName }) => poolName),
      fix: 'use ApiGeneration.V1, or targets of one pool',
    });
  }
  for (const name of [model.modelName, ...model.aliases, ...model.adapters]) {
    const targets = model.adapters.includes(name) ? [] : rewritesOf(model, name);
    emit(scope, `InferenceModel-${names.of(name)}`, {
      apiVersion: pool.generation.poolApiVersion,
      kind: 'InferenceModel',
      metadata: { name: names.of(name), namespace: pool.namespace },
      body: {
        spec: {
          modelName: name,
          criticality: model.criticality.level,
          poolRef: { name: pool.poolName },
          ...(targets.length === 0 ? {} : { targetModels: targets }),
        },
      },
      why: `the model '${name}' for pickers of the ${pool.generation.name} generation`,
    });
  }
}

function rewritesOf(model: IInferenceModel, name: string): { name: string; weight?: number }[] {
  const needed = model.targets.length > 1 || model.targets.some(({ servedName }) => servedName !== name);
  return needed
    ? model.targets.map(({ servedName, weight }) => ({ name: servedName, ...(weight === undefined ? {} : { weight }) }))
    : [];
}

function emitObjectiveAndRewrite(
  scope: Construct,
  model: IInferenceModel,
  pool: IInferencePool,
  api: ModelApi,
  names: ModelObjectNames,
): void {
  const name = names.of(model.modelName);
  const poolRef = { group: pool.generation.poolGroup, name: pool.poolName };
  const suffix = `${pool.poolName}-${name}`;
  emit(scope, `Objective-${suffix}`, {
    apiVersion: api.apiVersion!,
    kind: 'InferenceObjective',
    metadata: { name, namespace: pool.namespace },
    body: { spec: { priority: model.criticality.value, poolRef } },
    why: `priority of the model '${model.modelName}' for the llm-d picker`,
  });
  if (model.criticality.value !== 0) {
    warn(
      scope,
      `the llm-d picker takes the priority of '${model.modelName}' from a header of the request (x-llm-d-inference-objective: ${name}), which a client may send or leave out; the picker of this project takes it from the model`,
    );
  }
  const targets = model.targets.filter((target) => target.pool === pool);
  const rules = [model.modelName, ...model.aliases].flatMap((asked) => rewriteRule(asked, targets));
  if (rules.length === 0) return;
  emit(scope, `Rewrite-${suffix}`, {
    apiVersion: api.apiVersion!,
    kind: 'InferenceModelRewrite',
    metadata: { name, namespace: pool.namespace },
    body: { spec: { poolRef, rules } },
    why: `names and shares of the model '${model.modelName}' for the llm-d picker`,
  });
}

function rewriteRule(asked: string, targets: readonly ResolvedTarget[]): object[] {
  if (targets.length === 1 && targets[0]!.servedName === asked) return [];
  return [
    {
      matches: [{ model: { type: 'Exact', value: asked } }],
      targets: targets.map(({ servedName, weight }) => ({
        modelRewrite: servedName,
        ...(weight === undefined ? {} : { weight }),
      })),
    },
  ];
}

/**
 * The names of the objects of one gateway's models: DNS labels. Where two models would have the same one, as `x_a` and `x.a` would,
 * the later has a digest of its name behind it.
 */
export class ModelObjectNames {
  private readonly models = new Map<string, string>();

  public of(modelName: string): string {
    const label = labelOf(modelName);
    const digest = createHash('sha256').update(modelName).digest('hex').slice(0, 6);
    const name = [label, `${label.slice(0, 56).replace(/-+$/, '')}-${digest}`].find(
      (candidate) => (this.models.get(candidate) ?? modelName) === modelName,
    );
    this.models.set(name!, modelName);
    return name!;
  }
}

function labelOf(modelName: string): string {
  const label = modelName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return /^[a-z]/.test(label) ? label : `model-${label}`.slice(0, 63).replace(/-+$/, '');
}
