import type { ApiObject } from 'cdk8s';
import { AttachMode } from '../../implementations/attach-mode';
import type { GatewayPlan, PlannedObject, RulePlan } from '../../implementations/plan';
import { CONTROL_HEADERS } from '../../shared/control-headers';
import type { IInferencePool } from '../inference-pool';
import { emit, warn } from '../internal/emit';
import { refuse } from '../internal/errors';
import { derivedName } from '../internal/names';
import { ModelApi } from '../values/model-api';
import { PickerProgram } from '../values/picker-program';
import { checkAccess } from './access-checks';
import { chooseMode, requireFeature } from './attach';
import { attachToPools } from './attach-pools';
import { attachSidecar } from './attach-sidecar';
import { jwtPlan, type TokenVerifier, tokenVerifier } from './client-tokens';
import { checkGatewayLimits, tokenLimitPlans } from './gateway-limits';
import type { GatewayState } from './gateway-state';
import { emitRouteGrant } from './grants';
import { checkLimits } from './limit-checks';
import { emitModelObjects, ModelObjectNames } from './model-objects';
import { modelRouteSpec, type RouteRule } from './model-route';
import { checkFlowControl } from './priorities';
import { checkStickiness } from './stickiness-checks';
import { streamTimes } from './stream-times';

/** Rules that an HTTPRoute may have. */
const MAX_RULES = 16;

/** The decisions that the objects of a gateway were made from. */
export interface ResolvedGateway {
  readonly plan: GatewayPlan;
  /** The model route. */
  readonly route: ApiObject;
}

/** Makes everything of a gateway that depends on what was added to it. Undefined for one that has no models. */
export function resolveGateway(gateway: GatewayState): ResolvedGateway | undefined {
  const { construct, options, adapter, models } = gateway;
  if (models.length === 0) {
    if (gateway.limits.length === 0) return undefined;
    return refuse(construct, { code: 'AIG472', what: 'a gateway with limits has no model', fix: 'add one with addModel' });
  }
  checkModelNames(gateway);
  const pools = poolsOf(gateway);
  const mode = chooseMode(construct, adapter.capabilities, pools, options.attach);
  checkCors(gateway, mode);
  const verifier = tokenVerifier(gateway, mode);
  const isLlmd = options.picker?.program === PickerProgram.LLMD;
  checkStickiness(models, options.identity, isLlmd);
  checkAccess(construct, {
    access: options.modelAccess,
    identity: options.identity,
    modelNames: new Set(models.flatMap((model) => [model.modelName, ...model.aliases, ...model.adapters])),
    isLlmd,
  });
  checkFlowControl(construct, { flowControl: options.flowControl, models, identity: options.identity, isLlmd });
  const replicas = checkLimits(construct, {
    limits: gateway.limits,
    identity: options.identity,
    store: options.tokenStore,
    mode,
    poolCount: pools.length,
    replicas: options.picker?.replicas,
    modelNames: new Set(models.flatMap((model) => [model.modelName, ...model.adapters])),
    isLlmd,
  });
  checkGatewayLimits(gateway, mode);
  const base = planOf(gateway, mode, verifier, pools);
  const rules =
    mode === AttachMode.SIDECAR
      ? [attachSidecar(gateway, base, pools, replicas)]
      : attachToPools(gateway, base, pools, replicas, isLlmd);
  if (rules.length > MAX_RULES) {
    refuse(construct, {
      code: 'AIG483',
      what: 'an HTTPRoute has no room for a rule for each header class',
      value: `${rules.length} rules`,
      allowed: `at most ${MAX_RULES}`,
      fix: 'attach in sidecar mode, where one rule serves all of them',
    });
  }
  const plan = { ...base, rules: rules.map((rule) => rule.plan) };
  emitPlanned(gateway, plan);
  const api = options.modelApi ?? (isLlmd ? ModelApi.LLM_D : ModelApi.POLICY);
  const names = new ModelObjectNames();
  for (const model of models) emitModelObjects(construct, model, api, names);
  return { plan, route: emitRoute(gateway, plan, rules) };
}

function poolsOf({ models }: GatewayState): IInferencePool[] {
  const all = models.flatMap((model) => [
    ...model.targets.map(({ pool }) => pool),
    ...(model.fallbackPool === undefined ? [] : [model.fallbackPool]),
  ]);
  return [...new Set(all)];
}

function planOf(
  gateway: GatewayState,
  attach: AttachMode,
  verifier: TokenVerifier | undefined,
  pools: readonly IInferencePool[],
): GatewayPlan {
  const { options } = gateway;
  const { cors } = options;
  const jwt = options.identity?.jwtOptions;
  return {
    gatewayName: gateway.gatewayName,
    gatewayNamespace: gateway.gatewayNamespace,
    ownsGateway: gateway.ownsGateway,
    routeName: derivedName(gateway.baseName, 'models', 63),
    routeNamespace: gateway.routeNamespace,
    attach,
    rules: [],
    ...streamTimes(gateway.construct, options, pools),
    retries: retriesOf(gateway),
    controlHeaders: CONTROL_HEADERS,
    cors:
      cors === undefined
        ? undefined
        : {
            allowOrigins: cors.allowOrigins,
            allowMethods: cors.allowMethods ?? ['GET', 'POST', 'OPTIONS'],
            allowHeaders: cors.allowHeaders ?? ['authorization', 'content-type'],
            exposeHeaders: cors.exposeHeaders ?? [],
            allowCredentials: cors.allowCredentials ?? false,
            maxAgeSeconds: cors.maxAgeSeconds ?? 600,
          },
    tokenLimits: tokenLimitPlans(gateway),
    jwt: jwt === undefined || verifier === 'picker' ? undefined : jwtPlan(jwt, options.pathPrefix ?? '/v1'),
    clusterDomain: options.clusterDomain ?? 'cluster.local',
  };
}

function retriesOf({ construct, options }: GatewayState): number {
  const retries = options.retries ?? 2;
  if (Number.isInteger(retries) && retries >= 0 && retries <= 10) return retries;
  return refuse(construct, {
    code: 'AIG485',
    what: 'retries is out of range',
    value: retries,
    allowed: '0 to 10',
    fix: 'change retries',
  });
}

function checkCors(gateway: GatewayState, mode: AttachMode): void {
  if (gateway.options.cors === undefined) return;
  const { capabilities } = gateway.adapter;
  if (mode === AttachMode.POOL) {
    requireFeature(gateway.construct, capabilities, 'cors-with-pool', mode, 'cors', [
      'attach in sidecar mode',
      'answer browsers in front of the gateway',
    ]);
  } else if (!capabilities.features['cors-object'].supported) {
    requireFeature(gateway.construct, capabilities, 'cors-filter', mode, 'cors', ['answer browsers in front of the gateway']);
  }
}

/** Names that header classes and the default refer to. */
function checkModelNames({ construct, options, models }: GatewayState): void {
  const known = new Set(models.flatMap((model) => [model.modelName, ...model.aliases, ...model.adapters]));
  const used = [
    ...Object.values(options.headerClasses ?? {}),
    ...(options.defaultModel === undefined ? [] : [options.defaultModel]),
  ];
  const unknown = used.find((name) => !known.has(name));
  if (unknown === undefined) return;
  refuse(construct, {
    code: 'AIG482',
    what: 'a header class or the default names a model that the gateway does not have',
    value: unknown,
    allowed: [...known].join(', '),
    fix: 'add the model, or change the name',
  });
}

/** The objects of the implementation. Two rules with one picker would need the same one twice. */
function emitPlanned(gateway: GatewayState, plan: GatewayPlan): void {
  const { adapter, construct } = gateway;
  const own = adapter.gatewayObjects(plan);
  const lacking = adapter
    .gatewayObjects({ ...plan, ownsGateway: true })
    .filter(({ id }) => !own.some((object) => object.id === id));
  if (lacking.length > 0) {
    warn(
      construct,
      `the Gateway is not made here, and so neither are the objects for it as a whole (${lacking
        .map(({ kind }) => kind)
        .join(', ')}): docs/gateways/${adapter.capabilities.name}.md says what its owner should add`,
    );
  }
  const objects: PlannedObject[] = [
    ...adapter.gatewayObjects(plan),
    ...plan.rules.flatMap((rule) => adapter.ruleObjects(plan, rule)),
  ];
  const seen = new Set<string>();
  for (const object of objects) {
    const identity = `${object.kind} ${object.namespace} ${object.name}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    emit(construct, object.id, {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: { name: object.name, namespace: object.namespace, annotations: object.annotations },
      body: object.body,
      why: object.why,
    });
  }
}

function emitRoute(gateway: GatewayState, plan: GatewayPlan, rules: readonly RouteRule[]): ApiObject {
  const { construct, options, adapter } = gateway;
  grantBackends(gateway, plan.rules);
  return emit(construct, 'ModelRoute', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: plan.routeName, namespace: plan.routeNamespace, annotations: adapter.routeAnnotations(plan) },
    body: {
      spec: modelRouteSpec(
        gateway.parent,
        plan,
        rules,
        adapter.capabilities,
        options.pathPrefix ?? '/v1',
        options.classHeader ?? 'x-model-class',
        options.hostnames ?? [],
      ),
    },
    why: 'sends the requests of the models to their pools',
  });
}

function grantBackends(gateway: GatewayState, rules: readonly RulePlan[]): void {
  const { routeNamespace } = gateway;
  const granted = new Set<string>();
  for (const { backend } of rules) {
    const { kind, name, namespace } = backend;
    if (namespace === routeNamespace || namespace === undefined || routeNamespace === undefined) continue;
    const key = `${namespace}/${name}`;
    if (granted.has(key)) continue;
    granted.add(key);
    emitRouteGrant(gateway.construct, routeNamespace, { kind, name, namespace }, gateway.options.referenceGrants ?? true);
  }
}
