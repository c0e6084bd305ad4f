import type { Field, KubeObject, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { adapterNames, type Engine, engines, servedNames } from './support/engines';
import { poolSelector, pools } from './support/routes';
import { selectedWorkloads } from './support/workloads';

/** An engine answers 404 to a model that it does not serve under exactly that name: the most frequent mistake of all. */
export const servedModelName: Rule = {
  code: 'AIG200',
  name: 'served-model-name',
  title: 'Clients and rewrites ask for names that the engines serve',
  severity: 'error',
  check: (index) => [...rewrites(index), ...inferenceModels(index)],
};

function rewrites(index: ObjectIndex): RuleFinding[] {
  return ['llm-d.ai', 'inference.networking.x-k8s.io'].flatMap((group) =>
    index.ofKind(group, 'InferenceModelRewrite').flatMap((rewrite) => {
      const served = servedBy(index, rewrite);
      if (served === undefined) return [];
      return rewrite
        .at('spec', 'rules')
        .items.flatMap((rule) =>
          [...rule.at('targets').items, ...rule.at('split').items].flatMap((target) =>
            unlessServed(target.at('modelRewrite'), served),
          ),
        );
    }),
  );
}

function inferenceModels(index: ObjectIndex): RuleFinding[] {
  return index.ofKind('inference.networking.x-k8s.io', 'InferenceModel').flatMap((model) => {
    const served = servedBy(index, model);
    if (served === undefined) return [];
    const targets = model.at('spec', 'targetModels').items;
    // Without targets, the engines are asked for the client's own name.
    return targets.length === 0
      ? unlessServed(model.at('spec', 'modelName'), served)
      : targets.flatMap((target) => unlessServed(target.at('name'), served));
  });
}

/** Names that all engines of the object's pool serve; undefined where one of them does not say. */
function servedBy(index: ObjectIndex, object: KubeObject): ReadonlySet<string> | undefined {
  const name = object.at('spec', 'poolRef', 'name').text;
  const pool = pools(index).find((candidate) => candidate.name === name && candidate.namespace === object.namespace);
  if (pool === undefined) return undefined;
  const selected = selectedWorkloads(index, pool.namespace, poolSelector(pool).labels);
  const behind = engines(index).filter(({ workload }) => selected.includes(workload));
  if (behind.length === 0) return undefined;
  const names = new Set<string>();
  for (const engine of behind) {
    const own = namesOf(engine);
    if (own === undefined) return undefined;
    for (const served of own) names.add(served);
  }
  return names;
}

function namesOf(engine: Engine): readonly string[] | undefined {
  const names = servedNames(engine);
  const adapters = adapterNames(engine);
  return names === undefined || adapters === undefined ? undefined : [...names, ...adapters];
}

function unlessServed(field: Field, served: ReadonlySet<string>): RuleFinding[] {
  if (field.text === undefined || served.has(field.text)) return [];
  return [
    finding(field, 'is no name that the engines of the pool serve', {
      allowed: [...served].join(', '),
      fix: 'take a served name, or add it to --served-model-name of the engine',
    }),
  ];
}
