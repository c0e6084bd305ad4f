import type { EnginePlan } from '../plan/engine-plans';
import type { LoopbackPicker } from '../run/loopback-picker';
import type { Session } from '../run/session';
import { clientsOf } from './credentials';

/** A request that the manifests have an answer for, and who may give it. */
export interface Way {
  readonly title: string;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly engines: readonly EnginePlan[];
  readonly picker: LoopbackPicker;
}

const PATH = '/v1/chat/completions';

/** Every model by every rule of the gateway that leads to it; then the values of the class header. */
export function waysOf(session: Session): Way[] {
  const { front } = session.plan;
  const pickerOf = (plan: object): LoopbackPicker => session.pickers.find((picker) => picker.plan === plan)!;
  if (front.kind === 'sidecar') {
    const picker = pickerOf(front.picker);
    return [...modelWays(picker, {}, undefined), ...classWays(picker)];
  }
  return front.routes.flatMap(({ match, targets }) => {
    const [first, ...others] = targets;
    const matchesChat =
      match.pathType === 'Exact' ? match.path === PATH : match.pathType === 'PathPrefix' && PATH.startsWith(match.path);
    const isPlain = match.headers.every(({ isExpression }) => !isExpression) && (match.method ?? 'POST') === 'POST';
    // Several pickers know different models: which of them is asked is left to chance.
    if (first === undefined || !matchesChat || !isPlain || others.some(({ picker }) => picker !== first.picker)) return [];
    const headers = Object.fromEntries(match.headers.map(({ name, value }) => [name, value]));
    return modelWays(
      pickerOf(first.picker),
      headers,
      targets.flatMap(({ engines }) => engines),
    );
  });
}

/** @param among engines that the rule leads to; undefined when the picker names the pool */
function modelWays(picker: LoopbackPicker, headers: Way['headers'], among: readonly EnginePlan[] | undefined): Way[] {
  const { policy, plan } = picker;
  const known = Object.entries(headers).map(([name, value]) => ` with ${name}: ${value}`);
  const way = (model: string, engines: readonly EnginePlan[]): Way[] => {
    const allowed = among === undefined ? engines : engines.filter((engine) => among.includes(engine));
    if (allowed.length === 0) return [];
    return [{ title: `${model}${known.join('')}`, model, headers: { ...headers, ...keyOf(picker) }, engines: allowed, picker }];
  };
  if (policy === undefined || policy.models.length === 0) {
    const engines = plan.pools.flatMap((pool) => pool.engines);
    return [...new Set(engines.map(({ models }) => models[0]!))].flatMap((model) =>
      way(
        model,
        engines.filter(({ models }) => models.includes(model)),
      ),
    );
  }
  return policy.models.flatMap((model) => {
    const engines = enginesOf(picker, model.name);
    return [model.name, ...model.aliases, ...model.adapters.map(({ name }) => name)].flatMap((name) => way(name, engines));
  });
}

/** The class header goes before the body, so the body names another model. */
function classWays(picker: LoopbackPicker): Way[] {
  const { policy } = picker;
  return Object.entries(policy?.classes?.values ?? {}).map(([value, model]) => {
    const other = policy!.models.find(({ name }) => name !== model)?.name ?? model;
    const { header } = policy!.classes!;
    return {
      title: `${other} with ${header}: ${value}, which means ${model}`,
      model: other,
      headers: { [header]: value, ...keyOf(picker) },
      engines: enginesOf(picker, model),
      picker,
    };
  });
}

/** Engines of the pools that a model is sent to. */
function enginesOf({ policy, plan }: LoopbackPicker, name: string): EnginePlan[] {
  const model = policy!.models.find((entry) => entry.name === name);
  const pools = (model?.targets ?? []).filter(({ weight }) => weight !== 0).map(({ pool }) => pool);
  return plan.pools.filter((pool) => pools.includes(pool.name)).flatMap(({ engines }) => engines);
}

function keyOf(picker: LoopbackPicker): Way['headers'] {
  return clientsOf(picker)[0]?.headers ?? {};
}
