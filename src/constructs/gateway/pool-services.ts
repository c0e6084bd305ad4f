import type { Construct } from 'constructs';
import type { IInferencePool } from '../inference-pool';
import { emit } from '../internal/emit';
import { derivedName } from '../internal/names';

/** A Service in front of a pool's pods. */
export interface PoolService {
  readonly name: string;
  readonly port: number;
}

/**
 * The Service whose DNS records are the pool's ready pods, one address each: what a proxy resolves that picks endpoints itself.
 * The only backend's own, or one that is made once, however many gateways use the pool.
 */
export function headlessService(pool: IInferencePool): PoolService {
  const [backend, ...others] = pool.backends;
  const isWhole = others.length === 0 && backend?.ports.join() === pool.ports.join();
  if (isWhole && backend?.headlessServiceName !== undefined) return { name: backend.headlessServiceName, port: pool.ports[0]! };
  return poolService(pool, 'endpoints', {}, 'lists the addresses of the pool’s ready pods for the proxy', { clusterIP: 'None' });
}

/** An ordinary Service: Envoy Gateway takes endpoints only from one that has an address of its own. */
export function routedService(pool: IInferencePool, annotations: { readonly [key: string]: string }): PoolService {
  return poolService(pool, 'service', annotations, 'the backend of the route, whose endpoints the picker chooses among', {});
}

function poolService(
  pool: IInferencePool,
  suffix: string,
  annotations: { readonly [key: string]: string },
  why: string,
  fields: { readonly [field: string]: unknown },
): PoolService {
  const service = { name: derivedName(pool.poolName, suffix, 63), port: pool.ports[0]! };
  const id = suffix === 'endpoints' ? 'Endpoints' : 'Service';
  if (pool.node.tryFindChild(id) !== undefined) return service;
  emit(pool as unknown as Construct, id, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service.name, namespace: pool.namespace, annotations },
    body: {
      spec: {
        ...fields,
        selector: pool.podLabels,
        ports: pool.ports.map((port, rank) => ({
          name: pool.ports.length === 1 ? 'http' : `http-${rank}`,
          port,
          targetPort: port,
          protocol: 'TCP',
          appProtocol: 'http',
        })),
      },
    },
    why,
  });
  return service;
}
