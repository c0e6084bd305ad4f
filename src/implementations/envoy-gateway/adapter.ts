import { AttachMode } from '../attach-mode';
import type { GatewayAdapter } from '../gateway-adapter';
import type { GatewayPlan, PlannedObject, PodSelectorPlan, RulePlan, TokenLimitFault, TokenLimitPlan } from '../plan';
import { ENVOY_GATEWAY } from './capabilities';
import {
  backendTrafficPolicy,
  clientTrafficPolicy,
  envoyExtensionPolicy,
  envoyProxy,
  envoyProxyName,
  referenceGrant,
  securityPolicy,
} from './objects';
import { tokenLimitFault } from './token-limits';

/** What is particular about an installation of Envoy Gateway. */
export interface EnvoyGatewayOptions {
  /**
   * Name of an EnvoyProxy of your own, in the Gateway's namespace. It then has to carry the runtime flag that the emitted one
   * would: `envoy.reloadable_features.ext_proc_graceful_grpc_close: true`.
   * @default - one is emitted for an own Gateway in extproc mode
   */
  readonly envoyProxyName?: string;
  /** Namespace where the proxies run, for NetworkPolicies. @default 'envoy-gateway-system' */
  readonly proxyNamespace?: string;
}

export class EnvoyGatewayAdapter implements GatewayAdapter {
  public readonly capabilities = ENVOY_GATEWAY;

  public constructor(private readonly options: EnvoyGatewayOptions) {}

  public gatewayObjects(plan: GatewayPlan): PlannedObject[] {
    if (!plan.ownsGateway) return [];
    return this.emitsEnvoyProxy(plan) ? [clientTrafficPolicy(plan), envoyProxy(plan)] : [clientTrafficPolicy(plan)];
  }

  public ruleObjects(plan: GatewayPlan, rule: RulePlan): PlannedObject[] {
    if (rule.picker === undefined) return [backendTrafficPolicy(plan, rule)];
    const clients = plan.jwt === undefined ? [] : [securityPolicy(plan, plan.jwt)];
    const objects = [...clients, envoyExtensionPolicy(plan, rule, rule.picker), backendTrafficPolicy(plan, rule)];
    if (rule.picker.namespace !== plan.routeNamespace) objects.push(referenceGrant(plan, rule, rule.picker));
    return objects;
  }

  public tokenLimitFault(limits: readonly TokenLimitPlan[], attach: AttachMode): TokenLimitFault | undefined {
    return tokenLimitFault(limits, attach);
  }

  public routeAnnotations(): { [key: string]: string } {
    return {};
  }

  public serviceAnnotations(): { [key: string]: string } {
    return {};
  }

  public parametersRef(plan: GatewayPlan): { group: string; kind: string; name: string } | undefined {
    const name = this.options.envoyProxyName ?? (this.emitsEnvoyProxy(plan) ? envoyProxyName(plan) : undefined);
    return name === undefined ? undefined : { group: 'gateway.envoyproxy.io', kind: 'EnvoyProxy', name };
  }

  public gatewayClassAnnotations(): { [key: string]: string } {
    return {};
  }

  public gatewayPods(plan: GatewayPlan): PodSelectorPlan {
    const owner: { [key: string]: string } = { 'gateway.envoyproxy.io/owning-gateway-name': plan.gatewayName };
    if (plan.gatewayNamespace !== undefined) owner['gateway.envoyproxy.io/owning-gateway-namespace'] = plan.gatewayNamespace;
    return {
      podLabels: owner,
      namespaceLabels: { 'kubernetes.io/metadata.name': this.options.proxyNamespace ?? 'envoy-gateway-system' },
    };
  }

  /** Only where the gateway itself speaks ext_proc does the flag on its streams matter. */
  private emitsEnvoyProxy(plan: GatewayPlan): boolean {
    return plan.ownsGateway && plan.attach === AttachMode.EXTPROC && this.options.envoyProxyName === undefined;
  }
}
