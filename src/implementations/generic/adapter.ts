import type { CapabilityTable } from '../capabilities';
import type { GatewayAdapter } from '../gateway-adapter';
import type { GatewayPlan, PlannedObject, PodSelectorPlan } from '../plan';
import { genericCapabilities } from './capabilities';

/** What is known of an implementation that has no folder of its own. */
export interface GenericGatewayOptions {
  /** Class of the Gateway. */
  readonly gatewayClassName: string;
  /**
   * Emit `timeouts` on the route. They are standard fields: most implementations honour them, NGINX Gateway Fabric ignores them,
   * GKE, Traefik and AWS refuse them.
   * @default true
   */
  readonly routeTimeouts?: boolean;
  /** Labels of the gateway's own pods, for NetworkPolicies. @default - every pod of the gateway's namespace */
  readonly proxyPodLabels?: { readonly [key: string]: string };
  /** Namespace where those pods run. @default - the Gateway's namespace */
  readonly proxyNamespace?: string;
}

export class GenericAdapter implements GatewayAdapter {
  public readonly capabilities: CapabilityTable;

  public constructor(private readonly options: GenericGatewayOptions) {
    this.capabilities = genericCapabilities(options.gatewayClassName, options.routeTimeouts ?? true);
  }

  public gatewayObjects(): PlannedObject[] {
    return [];
  }

  public ruleObjects(): PlannedObject[] {
    return [];
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
    const namespace = this.options.proxyNamespace ?? plan.gatewayNamespace;
    return {
      ...(this.options.proxyPodLabels === undefined ? {} : { podLabels: this.options.proxyPodLabels }),
      ...(namespace === undefined ? {} : { namespaceLabels: { 'kubernetes.io/metadata.name': namespace } }),
    };
  }
}
