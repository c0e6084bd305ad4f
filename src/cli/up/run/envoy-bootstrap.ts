import { envoyBootstrap } from '../../../constructs/sidecar/envoy-bootstrap';
import { pickerCluster, poolCluster } from '../../../constructs/sidecar/envoy-clusters';
import { endpoint, typed } from '../../../constructs/sidecar/envoy-values';
import { CONTROL_HEADERS } from '../../../shared/control-headers';
import type { RouteMatch, RoutePlan } from '../plan/route-plans';

/** Ports of the proxy itself. */
export interface ProxyPorts {
  readonly listen: number;
  readonly admin: number;
  readonly status: number;
}

type Fields = Record<string, unknown>;

interface SocketAddress {
  address: string;
  port_value: number;
}

interface Bootstrap {
  admin?: { address?: { socket_address?: SocketAddress } };
  static_resources?: {
    listeners?: { address?: { socket_address?: SocketAddress } }[];
    clusters?: Cluster[];
    secrets?: unknown;
  };
}

interface Cluster {
  name: string;
  transport_socket?: unknown;
  typed_extension_protocol_options?: Record<string, { http_filters?: unknown }>;
  load_assignment?: {
    cluster_name: string;
    endpoints?: { lb_endpoints?: { endpoint?: { address?: { socket_address?: SocketAddress } } }[] }[];
  };
}

const LOOPBACK = '127.0.0.1';

/**
 * The bootstrap of a sidecar with the addresses of this machine, and nothing else changed but what no simulated engine has: TLS and keys.
 * @param enginePorts ports on loopback of the engines at a name and port of the cluster
 */
export function sidecarBootstrap(
  original: unknown,
  ports: ProxyPorts,
  pickerPort: number,
  enginePorts: (host: string, port: number) => readonly number[],
  notice: (text: string) => void,
): unknown {
  const bootstrap = structuredClone(original) as Bootstrap;
  const adminAddress = bootstrap.admin?.address?.socket_address;
  const adminPort = adminAddress?.port_value;
  if (adminAddress !== undefined) Object.assign(adminAddress, { address: LOOPBACK, port_value: ports.admin });
  for (const listener of bootstrap.static_resources?.listeners ?? []) {
    const isMain = JSON.stringify(listener).includes('ext_proc');
    const address = listener.address?.socket_address;
    if (address !== undefined) Object.assign(address, { address: LOOPBACK, port_value: isMain ? ports.listen : ports.status });
  }
  for (const cluster of bootstrap.static_resources?.clusters ?? []) {
    let isEngines = false;
    for (const locality of cluster.load_assignment?.endpoints ?? []) {
      locality.lb_endpoints = (locality.lb_endpoints ?? []).flatMap((entry) => {
        const address = entry.endpoint?.address?.socket_address;
        if (address === undefined) return [entry];
        if (address.address === LOOPBACK) {
          return [endpoint(LOOPBACK, address.port_value === adminPort ? ports.admin : pickerPort) as typeof entry];
        }
        isEngines = true;
        return enginePorts(address.address, address.port_value).map((port) => endpoint(LOOPBACK, port) as typeof entry);
      });
    }
    if (isEngines) withoutEngineSecurity(cluster, notice);
  }
  delete bootstrap.static_resources?.secrets;
  return bootstrap;
}

function withoutEngineSecurity(cluster: Cluster, notice: (text: string) => void): void {
  if (cluster.transport_socket !== undefined) {
    delete cluster.transport_socket;
    notice(`pool ${cluster.name}: simulated engines speak no TLS, so the proxy reaches them without`);
  }
  for (const options of Object.values(cluster.typed_extension_protocol_options ?? {})) {
    if (options.http_filters === undefined) continue;
    delete options.http_filters;
    notice(`pool ${cluster.name}: simulated engines ask for no key, so the proxy adds none`);
  }
}

/** Sets headers on every request, behind the removal of the client's own. */
export function addEarlyHeaders(bootstrap: unknown, headers: readonly (readonly [name: string, value: string])[]): void {
  const mutation = ([key, value]: readonly [string, string]): unknown => ({
    append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
  });
  for (const listener of (bootstrap as Bootstrap).static_resources?.listeners ?? []) {
    for (const { typed_config: manager } of (listener as unknown as EarlyListener).filter_chains.flatMap(
      (chain) => chain.filters,
    )) {
      for (const { typed_config: early } of manager.early_header_mutation_extensions ?? [])
        early.mutations?.push(...headers.map(mutation));
    }
  }
}

interface EarlyListener {
  filter_chains: {
    filters: { typed_config: { early_header_mutation_extensions?: { typed_config: { mutations?: unknown[] } }[] } }[];
  }[];
}

/** A cluster with the engines that a rule leads to. */
export interface RouteCluster {
  readonly name: string;
  readonly ports: readonly number[];
}

/** How a target of a rule is called in Envoy. */
export interface RouteNames {
  readonly cluster: (target: RoutePlan['targets'][number]) => string;
  readonly picker: (target: RoutePlan['targets'][number]) => string;
}

const LONGEST_ANSWER_SECONDS = 600;
const STREAM_IDLE_SECONDS = 300;

/** A bootstrap for the rules of a gateway, made as the one of a sidecar is: each rule asks the picker of its pool. */
export function routesBootstrap(
  routes: readonly RoutePlan[],
  clusters: readonly RouteCluster[],
  pickers: ReadonlyMap<string, number>,
  names: RouteNames,
  ports: ProxyPorts,
): unknown {
  const [firstPort] = pickers.values();
  const base = envoyBootstrap({
    pools: [],
    longestAnswerSeconds: LONGEST_ANSWER_SECONDS,
    streamIdleSeconds: STREAM_IDLE_SECONDS,
    retries: 2,
    controlHeaders: CONTROL_HEADERS,
    listenAddress: LOOPBACK,
    listenPort: ports.listen,
    statusPort: ports.status,
    adminPort: ports.admin,
    pickerPort: firstPort!,
  });
  const resources = base['static_resources'] as { listeners: Fields[]; clusters: Fields[] };
  resources.clusters.push(
    ...[...pickers].map(([name, port]) => named(pickerCluster(port), name)),
    ...clusters.map(({ name, ports: own }) => poolCluster({ name, host: LOOPBACK, ports: own, tls: false })),
  );
  const [route] = routesOf(resources.listeners[0]!);
  const { cluster_header: _header, ...action } = (route as { route: Fields }).route;
  (route as Fields)['route'] = action;
  replaceRoutes(
    resources.listeners[0]!,
    routes.map((rule) => envoyRoute(rule, route as Fields, names)),
  );
  return base;
}

function named(cluster: Fields, name: string): Fields {
  return { ...cluster, name, load_assignment: { ...(cluster['load_assignment'] as Fields), cluster_name: name } };
}

interface Listener {
  filter_chains: { filters: { typed_config: { route_config: { virtual_hosts: { routes: unknown[] }[] } } }[] }[];
}

function virtualHost(listener: unknown): { routes: unknown[] } {
  return (listener as Listener).filter_chains[0]!.filters[0]!.typed_config.route_config.virtual_hosts[0]!;
}

function routesOf(listener: unknown): unknown[] {
  return virtualHost(listener).routes;
}

function replaceRoutes(listener: unknown, routes: unknown[]): void {
  virtualHost(listener).routes = routes;
}

/** `template`: the route of a sidecar, with its timeouts, retries and removed headers. */
function envoyRoute({ match, targets }: RoutePlan, template: Fields, names: RouteNames): Fields {
  const action = template['route'] as Fields;
  const asks = (target: RoutePlan['targets'][number]): Fields => ({
    'envoy.filters.http.ext_proc': typed('envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute', {
      overrides: { grpc_service: { envoy_grpc: { cluster_name: names.picker(target) } } },
    }),
  });
  const [only] = targets;
  const choice =
    targets.length === 1
      ? { route: { ...action, cluster: names.cluster(only!) }, typed_per_filter_config: asks(only!) }
      : {
          route: {
            ...action,
            weighted_clusters: {
              clusters: targets.map((target) => ({
                name: names.cluster(target),
                weight: target.weight,
                typed_per_filter_config: asks(target),
              })),
            },
          },
        };
  return { ...template, match: envoyMatch(match), ...choice };
}

function envoyMatch({ pathType, path, method, headers }: RouteMatch): Fields {
  const conditions = [
    ...(method === undefined ? [] : [{ name: ':method', string_match: { exact: method } }]),
    ...headers.map(({ name, value, isExpression }) => ({
      name,
      string_match: isExpression ? { safe_regex: { regex: value } } : { exact: value },
    })),
  ];
  return {
    ...(pathType === 'Exact'
      ? { path }
      : pathType === 'RegularExpression'
        ? { safe_regex: { regex: path } }
        : path === '/'
          ? { prefix: '/' }
          : { path_separated_prefix: path.replace(/\/$/, '') }),
    ...(conditions.length === 0 ? {} : { headers: conditions }),
  };
}
