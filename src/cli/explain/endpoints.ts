import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type EndpointState, parseEndpointState } from '../../picker/explain/endpoint-state';
import type { OfflineEndpoint } from '../../picker/explain/offline-picker';
import { type Endpoint, formatHostPort } from '../../picker/scheduling/interface/endpoint-snapshot';
import type { Problem } from '../../shared/problem';
import type { EnginePlan } from '../up/plan/engine-plans';
import type { PickerPlan } from '../up/plan/picker-plans';

export interface ReadState {
  readonly states: readonly EndpointState[];
  readonly problems: readonly Problem[];
}

/** The file of `--endpoint-state`, its paths made relative to it. */
export function readState(file: string | undefined): ReadState {
  if (file === undefined) return { states: [], problems: [] };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { states: [], problems: [unreadable('--endpoint-state', file, error as Error)] };
  }
  const { states, problems } = parseEndpointState(text, file);
  return {
    states: states.map((state) => ({ ...state, served: state.served.map((path) => join(dirname(file), path)) })),
    problems,
  };
}

export function unreadable(flag: string, file: string, error: Error): Problem {
  return { code: 'AIG607', what: `the file of ${flag} cannot be read: ${error.message}`, value: file, fix: 'correct the path' };
}

/**
 * The endpoints of a picker's pools. A state with an address, port and labels is a pod of a cluster, which belongs to a pool when it has
 * the labels of an engine there; such pods take the place of the replicas that the manifests ask for. Any other state is that of the
 * replica with its name.
 */
export function endpointsOf(
  picker: PickerPlan,
  states: readonly EndpointState[],
): { readonly pools: readonly (readonly OfflineEndpoint[])[]; readonly problems: readonly Problem[] } {
  const used = new Set<EndpointState>();
  const isLive = states.some(isPod);
  const numbers = new Map<EnginePlan, number>();
  for (const { engines } of picker.pools)
    for (const engine of engines) if (!numbers.has(engine)) numbers.set(engine, numbers.size + 1);
  const pools = picker.pools.map(({ engines }): OfflineEndpoint[] => {
    if (isLive)
      return states.filter((state) => engines.some((engine) => isPodOf(state, engine))).map((state) => take(state, podOf(state)));
    return engines.map((engine) => {
      const state = states.find(({ name }) => name === engine.name);
      return take(state, replicaOf(engine, numbers.get(engine)!, state?.ready ?? true));
    });
  });
  function take(state: EndpointState | undefined, endpoint: Endpoint): OfflineEndpoint {
    if (state !== undefined) used.add(state);
    return { endpoint, state };
  }
  const names = [...numbers.keys()].map(({ name }) => name);
  const problems = states
    .filter((state) => !used.has(state))
    .map(
      ({ name, where }): Problem => ({
        code: 'AIG608',
        what: `endpoint '${name}' is in no pool of picker ${picker.namespace}/${picker.name}`,
        allowed: isLive ? 'pods with the labels that the pools select' : names.join(', '),
        fix: 'correct or remove it',
        where,
      }),
    );
  return { pools, problems };
}

function isPod({ address, port, labels }: EndpointState): boolean {
  return address !== undefined && port !== undefined && labels !== undefined;
}

function isPodOf(state: EndpointState, { namespace, containerPort, labels }: EnginePlan): boolean {
  return (
    isPod(state) &&
    (state.namespace ?? namespace) === namespace &&
    state.port === containerPort &&
    Object.entries(labels).every(([key, value]) => state.labels![key] === value)
  );
}

function podOf({ name, namespace, address, port, labels, ready }: EndpointState): Endpoint {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    address: address!,
    port: port!,
    labels: labels!,
    ready,
    hostPort: formatHostPort(address!, port!),
  };
}

/** A pod that does not exist yet: its address stands for itself. */
function replicaOf({ name, namespace, containerPort, labels }: EnginePlan, number: number, ready: boolean): Endpoint {
  const address = `10.244.${number >> 8}.${number & 255}`;
  return { name, namespace, address, port: containerPort, labels, ready, hostPort: formatHostPort(address, containerPort) };
}
