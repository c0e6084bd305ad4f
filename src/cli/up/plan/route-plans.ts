import type { EnginePlan, EnginePlans } from './engine-plans';
import { type KubeObject, type KubeObjects, namespaceOf } from './kube-objects';
import type { PickerPlan, PickerPlans } from './picker-plans';

/** One rule of the gateway: what it matches, and where it goes. */
export interface RoutePlan {
  readonly match: RouteMatch;
  /** At least one; chosen by weight. */
  readonly targets: readonly RouteTarget[];
}

export interface RouteMatch {
  readonly pathType: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly path: string;
  /** @default any */
  readonly method?: string;
  /** Names in lower case. */
  readonly headers: readonly { readonly name: string; readonly value: string; readonly isExpression: boolean }[];
}

export interface RouteTarget {
  readonly weight: number;
  readonly picker: PickerPlan;
  /** Name of the pool or of the Service of its engines. */
  readonly cluster: string;
  readonly engines: readonly EnginePlan[];
}

interface BackendRef {
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly weight?: number;
}

interface RouteRule {
  readonly name?: string;
  readonly matches?: readonly {
    readonly path?: { readonly type?: RouteMatch['pathType']; readonly value?: string };
    readonly method?: string;
    readonly headers?: readonly { readonly name: string; readonly value: string; readonly type?: string }[];
    readonly queryParams?: readonly unknown[];
  }[];
  readonly filters?: readonly { readonly type: string }[];
  readonly backendRefs?: readonly BackendRef[];
}

interface ExtensionSpec {
  readonly targetRefs?: readonly TargetRef[];
  readonly targetRef?: TargetRef;
  readonly extProc?: readonly { readonly backendRefs?: readonly BackendRef[] }[];
}

interface TargetRef {
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

const ANY_PATH = { type: 'PathPrefix', value: '/' } as const;

/** The HTTPRoutes that lead to engines through a picker, first match first, as the Gateway API orders them. */
export function routePlans(
  objects: KubeObjects,
  pickers: PickerPlans,
  engines: EnginePlans,
  notice: (text: string) => void,
): RoutePlan[] {
  const routes = objects.ofKind('HTTPRoute').flatMap((route) => {
    const { rules = [], hostnames = [] } = (route.spec ?? {}) as { rules?: RouteRule[]; hostnames?: string[] };
    const title = `HTTPRoute ${namespaceOf(route)}/${route.metadata.name}`;
    if (hostnames.length > 0) notice(`${title} is served under every host name, not only ${hostnames.join(', ')}`);
    return rules.flatMap((rule) => {
      const targets = (rule.backendRefs ?? []).flatMap((ref) => target(objects, pickers, engines, route, rule, ref) ?? []);
      if (targets.length === 0) {
        const names = (rule.backendRefs ?? []).map(({ name }) => name).join(', ');
        notice(`${title} leads to ${names || 'no backend'} without a picker: not served`);
        return [];
      }
      for (const { type } of rule.filters ?? []) notice(`${title}: filter ${type} is not carried out on loopback`);
      return (rule.matches ?? [{}]).map(({ path = ANY_PATH, method, headers = [], queryParams }): RoutePlan => {
        if (queryParams !== undefined) notice(`${title}: query parameters are not matched on loopback`);
        return {
          match: {
            pathType: path.type ?? 'PathPrefix',
            path: path.value ?? '/',
            ...(method === undefined ? {} : { method }),
            headers: headers.map(({ name, value, type }) => ({
              name: name.toLowerCase(),
              value,
              isExpression: type === 'RegularExpression',
            })),
          },
          targets,
        };
      });
    });
  });
  return routes.sort((a, b) => precedence(b.match) - precedence(a.match));
}

/** HTTPRouteRule: exact path, then the longest prefix, then a method, then the most headers; stable for the rest. */
function precedence({ pathType, path, method, headers }: RouteMatch): number {
  const byPath = pathType === 'Exact' ? 1e9 : pathType === 'PathPrefix' ? path.length * 1e3 : 0;
  return byPath + (method === undefined ? 0 : 100) + headers.length;
}

function target(
  objects: KubeObjects,
  pickers: PickerPlans,
  engines: EnginePlans,
  route: KubeObject,
  rule: RouteRule,
  ref: BackendRef,
): RouteTarget | undefined {
  const namespace = ref.namespace ?? namespaceOf(route);
  const weight = ref.weight ?? 1;
  if (weight === 0) return undefined;
  if (ref.kind === 'InferencePool') {
    const found = pickers.forPool(namespace, ref.name);
    return found && { weight, picker: found.picker, cluster: ref.name, engines: found.pool.engines };
  }
  const picker = extensionPicker(objects, pickers, route, rule);
  const behind = picker && engines.behindService(ref.name, namespace, ref.port ?? 80);
  return behind && behind.length > 0 ? { weight, picker, cluster: ref.name, engines: behind } : undefined;
}

/** The picker that an EnvoyExtensionPolicy puts before this rule. */
function extensionPicker(objects: KubeObjects, pickers: PickerPlans, route: KubeObject, rule: RouteRule): PickerPlan | undefined {
  for (const policy of objects.ofKind('EnvoyExtensionPolicy')) {
    if (namespaceOf(policy) !== namespaceOf(route)) continue;
    const { targetRefs, targetRef, extProc = [] } = (policy.spec ?? {}) as ExtensionSpec;
    const isMeant = [...(targetRefs ?? []), ...(targetRef === undefined ? [] : [targetRef])].some(
      ({ kind, name, sectionName }) =>
        kind === 'HTTPRoute' && name === route.metadata.name && (sectionName === undefined || sectionName === rule.name),
    );
    if (!isMeant) continue;
    for (const { name, namespace } of extProc.flatMap(({ backendRefs = [] }) => backendRefs)) {
      const picker = pickers.forService(namespace ?? namespaceOf(policy), name);
      if (picker !== undefined) return picker;
    }
  }
  return undefined;
}
