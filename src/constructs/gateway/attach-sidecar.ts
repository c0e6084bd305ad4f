import type { GatewayPlan } from '../../implementations/plan';
import { type IInferencePool, referenceTo } from '../inference-pool';
import { refuse } from '../internal/errors';
import { derivedName } from '../internal/names';
import type { SecretKey } from '../model-backend';
import { EXT_PROC_PORT } from '../picker/ports';
import { PROXY_SERVICE_PORT, type ProxiedPool, SidecarProxy } from '../sidecar/sidecar-proxy';
import type { GatewayState } from './gateway-state';
import { isGatewayLimit } from './limit-checks';
import type { RouteRule } from './model-route';
import { peerIn } from './peers';
import { policyInput } from './picker-policy-input';
import { headlessService } from './pool-services';

/** Longest name of the proxy: its ConfigMaps derive theirs from it. */
const MAX_PROXY_NAME = 40;

/** Sidecar mode: one rule to one Service, behind which Envoy and the picker see every model and pool. */
export function attachSidecar(
  gateway: GatewayState,
  plan: GatewayPlan,
  pools: readonly IInferencePool[],
  replicas: number,
): RouteRule {
  const { construct, options, routeNamespace } = gateway;
  if (routeNamespace === undefined) {
    return refuse(construct, {
      code: 'AIG475',
      what: 'the namespace of the proxy is not known, and the names of Services and the rights of its picker depend on it',
      fix: "set the namespace of the chart: new Chart(app, 'llm', { namespace: 'ai-inference' })",
    });
  }
  const special = pools.find((pool) => pool.pickerOptions !== undefined);
  if (special !== undefined) {
    refuse(construct, {
      code: 'AIG488',
      what: `pool '${special.poolName}' has picker settings of its own, and in sidecar mode one picker serves all pools`,
      fix: 'move them to the picker property of the gateway, or attach in another mode',
    });
  }
  // a gateway hears nothing from a picker behind the proxy
  const counted = gateway.limits.filter((limit) => !isGatewayLimit(limit));
  const proxy = new SidecarProxy(construct, 'Proxy', {
    name: derivedName(gateway.baseName, 'proxy', MAX_PROXY_NAME),
    namespace: routeNamespace,
    replicas,
    options: options.proxy ?? {},
    picker: options.picker ?? {},
    pickerInput: { pools: pools.map(referenceTo), ...policyInput({ ...gateway, limits: counted }, pools) },
    pools: pools.map((pool) => proxied(gateway, plan, pool)),
    traffic: {
      longestAnswerSeconds: plan.longestAnswerSeconds,
      streamIdleSeconds: plan.streamIdleSeconds,
      retries: plan.retries,
      controlHeaders: plan.controlHeaders,
      ...(plan.jwt === undefined ? {} : { jwt: plan.jwt }),
    },
    serviceAnnotations: gateway.adapter.serviceAnnotations(plan),
    gatewayPeer: gateway.adapter.gatewayPods(plan),
  });
  for (const pool of pools) {
    // a pool names a picker of its own namespace or none
    if ((pool.namespace ?? routeNamespace) === routeNamespace) pool.usePicker(proxy.serviceName, EXT_PROC_PORT);
    pool.allowFrom(peerIn(proxy.podLabels, routeNamespace, pool.namespace), 'sends requests, and reads the engines’ metrics');
  }
  return {
    classValue: undefined,
    plan: {
      name: plan.routeName,
      backend: { kind: 'Service', name: proxy.serviceName, namespace: routeNamespace, port: PROXY_SERVICE_PORT },
      picker: undefined,
    },
  };
}

function proxied(gateway: GatewayState, plan: GatewayPlan, pool: IInferencePool): ProxiedPool {
  const service = headlessService(pool);
  const namespace = pool.namespace ?? gateway.routeNamespace;
  return {
    name: pool.poolName,
    host: `${service.name}.${namespace}.svc.${plan.clusterDomain}`,
    ports: pool.ports,
    tls: pool.backends.some((backend) => backend.tls),
    apiKey: engineKey(gateway, pool),
  };
}

function engineKey(gateway: GatewayState, pool: IInferencePool): SecretKey | undefined {
  const keys = pool.backends.map((backend) => backend.apiKey);
  const [first] = keys;
  const mixed = keys.some((key) => key?.secretName !== first?.secretName || key?.key !== first?.key);
  if (mixed || (first !== undefined && pool.namespace !== gateway.routeNamespace)) {
    refuse(gateway.construct, {
      code: 'AIG479',
      what: mixed
        ? `the backends of pool '${pool.poolName}' ask for different keys`
        : `the engines of pool '${pool.poolName}' ask for a key whose Secret is in another namespace than the proxy`,
      value: mixed ? keys.map((key) => key?.secretName ?? 'none') : `${pool.namespace} and ${gateway.routeNamespace}`,
      allowed: 'one key for a pool, in the namespace of the gateway construct',
      fix: 'use one Secret, in one namespace',
    });
  }
  return first;
}
