import { AttachMode } from '../attach-mode';
import type { GatewayAdapter } from '../gateway-adapter';
import type { GatewayPlan, PlannedObject, PodSelectorPlan, RulePlan } from '../plan';
import { ISTIO } from './capabilities';
import { authorizationPolicy, requestAuthentication } from './clients';
import { destinationRule, gatewayEnvoyFilter } from './objects';

/** What is particular about an installation of Istio. */
export interface IstioOptions {
  /**
   * Emit the EnvoyFilter that ends silent streams and strips client headers. Istio sets no idle timeout, so that without it a
   * picker that hangs keeps its clients waiting for ever.
   * @default true
   */
  readonly envoyFilter?: boolean;
}

export class IstioAdapter implements GatewayAdapter {
  public readonly capabilities = ISTIO;

  public constructor(private readonly options: IstioOptions) {}

  public gatewayObjects(plan: GatewayPlan): PlannedObject[] {
    if (!plan.ownsGateway) return [];
    const { jwt } = plan;
    return [
      ...(this.options.envoyFilter === false ? [] : [gatewayEnvoyFilter(plan)]),
      ...(jwt === undefined ? [] : [requestAuthentication(plan, jwt), authorizationPolicy(plan, jwt)]),
    ];
  }

  public ruleObjects(plan: GatewayPlan, rule: RulePlan): PlannedObject[] {
    return plan.attach === AttachMode.POOL && rule.picker?.secure ? [destinationRule(plan, rule, rule.picker)] : [];
  }

  public routeAnnotations(): { [key: string]: string } {
    return {};
  }

  public serviceAnnotations(): { [key: string]: string } {
    return {};
  }

  public parametersRef(): undefined {
    return undefined;
  }

  public gatewayClassAnnotations(): { [key: string]: string } {
    return {};
  }

  public gatewayPods(plan: GatewayPlan): PodSelectorPlan {
    return {
      podLabels: { 'gateway.networking.k8s.io/gateway-name': plan.gatewayName },
      ...(plan.gatewayNamespace === undefined
        ? {}
        : { namespaceLabels: { 'kubernetes.io/metadata.name': plan.gatewayNamespace } }),
    };
  }
}
