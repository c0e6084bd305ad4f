import type { GatewayPlan, PickerPlan, PlannedObject, RulePlan } from '../plan';

/** The fields of Istio's DestinationRule that are emitted. */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly trafficPolicy: { readonly tls: { readonly mode: 'SIMPLE'; readonly insecureSkipVerify: boolean } };
}

/** The fields of Istio's EnvoyFilter that are emitted. */
export interface EnvoyFilterSpec {
  readonly targetRefs: readonly { readonly group: string; readonly kind: string; readonly name: string }[];
  readonly configPatches: readonly {
    readonly applyTo: 'NETWORK_FILTER';
    readonly match: {
      readonly context: 'GATEWAY';
      readonly listener: { readonly filterChain: { readonly filter: { readonly name: string } } };
    };
    readonly patch: { readonly operation: 'MERGE'; readonly value: { readonly [field: string]: unknown } };
  }[];
}

/** Istio speaks plaintext to a picker unless told otherwise, and the picker's certificate is its own. */
export function destinationRule(plan: GatewayPlan, rule: RulePlan, picker: PickerPlan): PlannedObject {
  const host =
    picker.namespace === undefined ? picker.serviceName : `${picker.serviceName}.${picker.namespace}.svc.${plan.clusterDomain}`;
  const spec: DestinationRuleSpec = { host, trafficPolicy: { tls: { mode: 'SIMPLE', insecureSkipVerify: true } } };
  return {
    id: `DestinationRule-${rule.name}`,
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    name: picker.serviceName,
    namespace: picker.namespace,
    body: { spec },
    why: 'makes the gateway speak TLS to the picker',
  };
}

const CONNECTION_MANAGER = 'envoy.filters.network.http_connection_manager';

/** Settings of the gateway's Envoy for which Istio has no field. */
export function gatewayEnvoyFilter(plan: GatewayPlan): PlannedObject {
  const spec: EnvoyFilterSpec = {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: plan.gatewayName }],
    configPatches: [
      {
        applyTo: 'NETWORK_FILTER',
        match: { context: 'GATEWAY', listener: { filterChain: { filter: { name: CONNECTION_MANAGER } } } },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              stream_idle_timeout: `${plan.streamIdleSeconds}s`,
              early_header_mutation_extensions: [
                {
                  name: 'envoy.http.early_header_mutation.header_mutation',
                  typed_config: {
                    '@type': 'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
                    mutations: plan.controlHeaders.map((header) => ({ remove: header })),
                  },
                },
              ],
            },
          },
        },
      },
    ],
  };
  return {
    id: 'EnvoyFilter',
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    name: `${plan.gatewayName}-streams`,
    namespace: plan.gatewayNamespace,
    body: { spec },
    why: 'ends silent streams, which Istio never does, and strips control headers that a client sends itself',
  };
}
