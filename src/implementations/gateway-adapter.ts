import type { AttachMode } from './attach-mode';
import type { CapabilityTable } from './capabilities';
import type { GatewayPlan, PlannedObject, PodSelectorPlan, RulePlan, TokenLimitFault, TokenLimitPlan } from './plan';

/** What one Gateway API implementation adds to the standard objects. Plain functions from the plan to objects. */
export interface GatewayAdapter {
  readonly capabilities: CapabilityTable;
  /** Objects for the gateway as a whole. */
  gatewayObjects(plan: GatewayPlan): PlannedObject[];
  /** Objects for one rule of the model route. */
  ruleObjects(plan: GatewayPlan, rule: RulePlan): PlannedObject[];
  /** Why it cannot enforce the last of these limits; undefined where it can. Only asked where the table has `token-limits`. */
  tokenLimitFault?(limits: readonly TokenLimitPlan[], attach: AttachMode): TokenLimitFault | undefined;
  /** Annotations of the model HTTPRoute. */
  routeAnnotations(plan: GatewayPlan): { [key: string]: string };
  /** Annotations of a Service that the route points at. */
  serviceAnnotations(plan: GatewayPlan): { [key: string]: string };
  /** `spec.infrastructure.parametersRef` of an own Gateway. */
  parametersRef(plan: GatewayPlan): { group: string; kind: string; name: string } | undefined;
  /** Annotations of an own GatewayClass. */
  gatewayClassAnnotations(): { [key: string]: string };
  /** The gateway's own pods. */
  gatewayPods(plan: GatewayPlan): PodSelectorPlan;
}
