import type { RouteMatch } from '../plan/route-plans';
import { headerValue } from './header-lists';
import type { HeaderList } from './messages';
import type { PickerConnection } from './picker-connection';

/** Where a request goes, and who is asked about it. */
export interface ProxyTarget {
  readonly weight: number;
  readonly picker: PickerConnection;
  /** `host:port` of the engines that may answer. Undefined when the picker names the pool, by `x-aig-pool`. */
  readonly endpoints: readonly string[] | undefined;
}

export interface ProxyRoute {
  readonly match: RouteMatch;
  readonly targets: readonly ProxyTarget[];
}

/** The target of the first route that matches; undefined when none does. @param random in [0, 1) */
export function findTarget<T extends { readonly weight: number }>(
  routes: readonly { readonly match: RouteMatch; readonly targets: readonly T[] }[],
  headers: HeaderList,
  random: number,
): T | undefined {
  const route = routes.find(({ match }) => mismatch(match, headers) === undefined);
  if (route === undefined) return undefined;
  let left = random * route.targets.reduce((sum, { weight }) => sum + weight, 0);
  return route.targets.find(({ weight }) => (left -= weight) < 0) ?? route.targets.at(-1);
}

/** Why a request is none that the rule is for; undefined when it is. */
export function mismatch({ pathType, path, method, headers: wanted }: RouteMatch, headers: HeaderList): string | undefined {
  if (method !== undefined && headerValue(headers, ':method') !== method) return `method is not ${method}`;
  const asked = (headerValue(headers, ':path') ?? '').split('?')[0]!;
  if (pathType === 'Exact' ? asked !== path : pathType === 'PathPrefix' ? !isBelow(asked, path) : !wholly(path, asked))
    return `path is not ${pathType} ${path}`;
  const missing = wanted.find(({ name, value, isExpression }) => {
    const given = headerValue(headers, name);
    return given === undefined || !(isExpression ? wholly(value, given) : given === value);
  });
  return missing && `header ${missing.name} is not ${missing.value}`;
}

/** A prefix of the Gateway API ends at a slash: `/v1` matches `/v1` and `/v1/models`, not `/v10`. */
function isBelow(path: string, prefix: string): boolean {
  const stem = prefix.replace(/\/$/, '');
  return path === stem || path.startsWith(`${stem}/`);
}

function wholly(expression: string, text: string): boolean {
  return new RegExp(`^(?:${expression})$`).test(text);
}
