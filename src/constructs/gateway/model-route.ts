import {
  type HttpRouteSpec,
  type HttpRouteSpecRules,
  type HttpRouteSpecRulesFilters,
  type HttpRouteSpecRulesFiltersCorsAllowMethods,
  HttpRouteSpecRulesFiltersType,
  type HttpRouteSpecRulesMatches,
  HttpRouteSpecRulesMatchesHeadersType,
  HttpRouteSpecRulesMatchesPathType,
} from '../../../imports/gateway.networking.k8s.io';
import { AttachMode } from '../../implementations/attach-mode';
import type { CapabilityTable } from '../../implementations/capabilities';
import type { CorsPlan, GatewayPlan, RulePlan } from '../../implementations/plan';

/** A rule of the model route with what it matches. */
export interface RouteRule {
  readonly plan: RulePlan;
  /** Exact value of the class header; undefined for the rule that takes what is left. */
  readonly classValue: string | undefined;
}

/** The Gateway, or the listeners of it, that a route hangs on. */
export interface ParentGateway {
  readonly name: string;
  readonly namespace: string | undefined;
  /** Listeners to attach to. Empty for all. */
  readonly sectionNames: readonly string[];
}

/** The HTTPRoute of the models. */
export function modelRouteSpec(
  parent: ParentGateway,
  plan: GatewayPlan,
  rules: readonly RouteRule[],
  capabilities: CapabilityTable,
  pathPrefix: string,
  classHeader: string,
  hostnames: readonly string[],
): HttpRouteSpec {
  return {
    ...parentAndHosts(parent, plan.routeNamespace, hostnames),
    rules: rules.map((rule) => ruleSpec(plan, rule, capabilities, matches(pathPrefix, classHeader, rule.classValue))),
  };
}

/** `parentRefs` and `hostnames` of any route. */
export function parentAndHosts(
  parent: ParentGateway,
  routeNamespace: string | undefined,
  hostnames: readonly string[],
): Pick<HttpRouteSpec, 'parentRefs' | 'hostnames'> {
  const namespace = parent.namespace === routeNamespace ? {} : { namespace: parent.namespace };
  const sections = parent.sectionNames.length === 0 ? [undefined] : parent.sectionNames;
  return {
    parentRefs: sections.map((sectionName) => ({
      name: parent.name,
      ...namespace,
      ...(sectionName === undefined ? {} : { sectionName }),
    })),
    ...(hostnames.length === 0 ? {} : { hostnames: [...hostnames] }),
  };
}

function matches(pathPrefix: string, classHeader: string, classValue: string | undefined): HttpRouteSpecRulesMatches[] {
  const path = { type: HttpRouteSpecRulesMatchesPathType.PATH_PREFIX, value: pathPrefix };
  if (classValue === undefined) return [{ path }];
  return [{ path, headers: [{ type: HttpRouteSpecRulesMatchesHeadersType.EXACT, name: classHeader, value: classValue }] }];
}

function ruleSpec(
  plan: GatewayPlan,
  rule: RouteRule,
  capabilities: CapabilityTable,
  ruleMatches: HttpRouteSpecRulesMatches[],
): HttpRouteSpecRules {
  const { backend, name } = rule.plan;
  const timeouts = ruleTimeouts(plan, capabilities);
  const filters = corsFilters(plan, capabilities);
  return {
    ...(capabilities.features['rule-names'].supported ? { name } : {}),
    matches: ruleMatches,
    ...(filters.length === 0 ? {} : { filters }),
    backendRefs: [
      {
        // an InferencePool is named with its group and without a port
        ...(backend.kind === 'InferencePool'
          ? { group: 'inference.networking.k8s.io', kind: 'InferencePool' }
          : { port: backend.port }),
        name: backend.name,
        ...(backend.namespace === plan.routeNamespace ? {} : { namespace: backend.namespace }),
      },
    ],
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
  };
}

/** Without them Envoy-based gateways cut an answer after 15 seconds. `0s` means other things to other gateways. */
function ruleTimeouts(plan: GatewayPlan, capabilities: CapabilityTable): { request?: string; backendRequest?: string } {
  const longest = `${plan.longestAnswerSeconds}s`;
  return {
    ...(capabilities.features['request-timeout'].supported ? { request: longest } : {}),
    ...(capabilities.features['backend-request-timeout'].supported ? { backendRequest: longest } : {}),
  };
}

function corsFilters(plan: GatewayPlan, capabilities: CapabilityTable): HttpRouteSpecRulesFilters[] {
  const feature = plan.attach === AttachMode.POOL ? 'cors-with-pool' : 'cors-filter';
  if (plan.cors === undefined || !capabilities.features[feature].supported) return [];
  return [{ type: HttpRouteSpecRulesFiltersType.CORS, cors: corsFilter(plan.cors) }];
}

function corsFilter(cors: CorsPlan): NonNullable<HttpRouteSpecRulesFilters['cors']> {
  return {
    allowOrigins: [...cors.allowOrigins],
    allowMethods: cors.allowMethods as HttpRouteSpecRulesFiltersCorsAllowMethods[],
    allowHeaders: [...cors.allowHeaders],
    ...(cors.exposeHeaders.length === 0 ? {} : { exposeHeaders: [...cors.exposeHeaders] }),
    ...(cors.allowCredentials ? { allowCredentials: true } : {}),
    maxAge: cors.maxAgeSeconds,
  };
}
