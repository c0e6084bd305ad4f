import type { Problem } from '../../../shared/problem';
import { type EnginePlan, EnginePlans } from './engine-plans';
import { type KubeObject, KubeObjects } from './kube-objects';
import { type PickerPlan, PickerPlans } from './picker-plans';
import { type RoutePlan, routePlans } from './route-plans';
import { type SidecarPlan, sidecarProxy } from './sidecar-proxy';

/** What to run on loopback so that it does what the manifests say. */
export interface Plan {
  readonly engines: readonly EnginePlan[];
  readonly pickers: readonly PickerPlan[];
  readonly front: FrontPlan;
  /** What is run in another way than the manifests say, one line each. */
  readonly notices: readonly string[];
}

/** How requests come to a picker: through the proxy beside it, or by the routes of the gateway. */
export type FrontPlan =
  | ({ readonly kind: 'sidecar' } & SidecarPlan & {
        /** Engines behind a name and port of the cluster. */
        readonly enginesAt: (host: string, port: number) => readonly EnginePlan[];
      })
  | { readonly kind: 'routes'; readonly routes: readonly RoutePlan[] };

export interface PlanOptions {
  /** Replicas of a workload that are simulated. */
  readonly maxReplicas: number;
  /** Accelerator of engines whose manifests name none. @default none in particular */
  readonly accelerator?: string | undefined;
}

/** The plan, or every reason why there is none. */
export function planOf(
  manifests: readonly KubeObject[],
  { maxReplicas, accelerator }: PlanOptions,
): { readonly plan: Plan | undefined; readonly problems: readonly Problem[] } {
  const notices = new Set<string>();
  const notice = (text: string): void => void notices.add(text);
  const objects = new KubeObjects(manifests);
  const engines = new EnginePlans(objects, maxReplicas, accelerator, notice);
  const pickers = new PickerPlans(objects, engines, notice);
  const front = frontOf(objects, pickers, engines, notice);
  const problems = [...pickers.problems];
  if (problems.length === 0 && front === undefined) {
    problems.push({
      code: 'AIG603',
      what: 'the manifests have no InferencePool and no picker, so there is nothing to route to',
      value: `${manifests.length} objects`,
      fix: 'give manifests with an InferencePool, the Deployment of its engines and an HTTPRoute',
    });
  }
  if (problems.length === 0 && engines.all.size === 0) {
    problems.push({
      code: 'AIG604',
      what: 'no Deployment, StatefulSet or Pod of the manifests has the labels that the pools select',
      fix: "give the engines' Deployment too, or correct the pool's selector",
    });
  }
  if (front === undefined || problems.length > 0) return { plan: undefined, problems };
  const used =
    front.kind === 'sidecar' ? [front.picker] : [...new Set(front.routes.flatMap(({ targets }) => targets.map((t) => t.picker)))];
  for (const picker of pickers.all) {
    if (!used.includes(picker)) notice(`picker ${picker.namespace}/${picker.name} is not run: no request comes to it`);
  }
  return { plan: { engines: [...engines.all.values()], pickers: used, front, notices: [...notices] }, problems };
}

function frontOf(
  objects: KubeObjects,
  pickers: PickerPlans,
  engines: EnginePlans,
  notice: (text: string) => void,
): FrontPlan | undefined {
  const [sidecar, ...others] = pickers.all.flatMap((picker) => sidecarProxy(objects, picker) ?? []);
  for (const { picker } of others) notice(`proxy ${picker.namespace}/${picker.name} is not run: one proxy at a time`);
  if (sidecar !== undefined) {
    const { namespace } = sidecar.picker;
    return { kind: 'sidecar', ...sidecar, enginesAt: (host, port) => engines.behindService(host, namespace, port) };
  }
  const routes = routePlans(objects, pickers, engines, notice);
  if (routes.length > 0) return { kind: 'routes', routes };
  const [picker] = pickers.all;
  const [pool] = picker?.pools ?? [];
  if (picker === undefined || pool === undefined) return undefined;
  notice(`no HTTPRoute leads to a pool: every request goes to ${pool.name}`);
  const target = { weight: 1, picker, cluster: pool.name, engines: pool.engines };
  return { kind: 'routes', routes: [{ match: { pathType: 'PathPrefix', path: '/', headers: [] }, targets: [target] }] };
}
