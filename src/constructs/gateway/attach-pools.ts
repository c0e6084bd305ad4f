import type { Construct } from 'constructs';
import { AttachMode } from '../../implementations/attach-mode';
import type { GatewayPlan, RulePlan } from '../../implementations/plan';
import { EndpointPicker } from '../endpoint-picker';
import { type IInferencePool, referenceTo } from '../inference-pool';
import { warn } from '../internal/emit';
import { refuse } from '../internal/errors';
import { derivedName } from '../internal/names';
import { requireFeature } from './attach';
import type { GatewayState } from './gateway-state';
import type { RouteRule } from './model-route';
import { peerIn } from './peers';
import { policyInput } from './picker-policy-input';
import { routedService } from './pool-services';

/** Longest name of a picker: its ConfigMaps derive theirs from it. */
const MAX_PICKER_NAME = 40;

/** Pool and extproc mode: the gateway asks a picker of each pool, and a header class chooses the pool where there are several. */
export function attachToPools(
  gateway: GatewayState,
  plan: GatewayPlan,
  pools: readonly IInferencePool[],
  replicas: number,
  isLlmd: boolean,
): RouteRule[] {
  for (const model of gateway.models)
    checkTargets(gateway, plan.attach, model.targets.length > 1 ? model.targets.map(({ pool }) => pool) : []);
  const fallback = gateway.models.find((model) => model.fallbackPool !== undefined);
  if (fallback !== undefined) {
    refuse(gateway.construct, {
      code: 'AIG473',
      what: `a fallback pool needs a picker that sees both pools, and in ${plan.attach.name} mode each pool has its own`,
      value: fallback.modelName,
      fix: 'attach in sidecar mode',
    });
  }
  const pickers = new Map(pools.map((pool) => [pool, pickerFor(gateway, plan, pool, replicas, isLlmd)]));
  const rules = rulePools(gateway, plan, pools);
  return rules.map(({ pool, classValue }) => ({
    classValue,
    plan: rulePlan(gateway, plan, pool, pickers.get(pool)!, rules.length === 1 ? undefined : (classValue ?? 'default')),
  }));
}

function checkTargets(gateway: GatewayState, mode: AttachMode, targetPools: readonly IInferencePool[]): void {
  if (new Set(targetPools).size < 2) return;
  requireFeature(gateway.construct, gateway.adapter.capabilities, 'weighted-pools', mode, 'weights between pools', [
    'attach in sidecar mode',
    'put the targets into one pool',
  ]);
}

/** One rule per header class, and one for what is left. @throws AIG474 for a pool that no rule would reach */
function rulePools(
  gateway: GatewayState,
  plan: GatewayPlan,
  pools: readonly IInferencePool[],
): { pool: IInferencePool; classValue: string | undefined }[] {
  const poolOf = (name: string): IInferencePool =>
    gateway.models.find((model) => [model.modelName, ...model.aliases, ...model.adapters].includes(name))!.targets[0]!.pool;
  const [only] = pools;
  if (pools.length === 1) return [{ pool: only!, classValue: undefined }];
  const { defaultModel, headerClasses, classHeader } = gateway.options;
  const rules: { pool: IInferencePool; classValue: string | undefined }[] = Object.entries(headerClasses ?? {}).map(
    ([classValue, name]) => ({ pool: poolOf(name), classValue }),
  );
  if (defaultModel !== undefined) rules.push({ pool: poolOf(defaultModel), classValue: undefined });
  const lost = pools.filter((pool) => !rules.some((rule) => rule.pool === pool));
  if (lost.length > 0) {
    refuse(gateway.construct, {
      code: 'AIG474',
      what: `in ${plan.attach.name} mode the gateway does not read the model from the body, and nothing else leads to these pools`,
      value: lost.map(({ poolName }) => poolName),
      allowed: 'a header class or the default model for each pool',
      fix: 'set headerClasses and defaultModel, or leave attach out: sidecar mode goes by the body',
    });
  }
  warn(
    gateway.construct,
    `in ${plan.attach.name} mode the body's model does not choose the pool: requests go by the header ${classHeader ?? 'x-model-class'}${
      defaultModel === undefined ? '' : `, without it to '${defaultModel}'`
    }; a model asked of the wrong pool gets 404. Sidecar mode goes by the body`,
  );
  return rules;
}

function rulePlan(
  gateway: GatewayState,
  plan: GatewayPlan,
  pool: IInferencePool,
  picker: EndpointPicker,
  suffix: string | undefined,
): RulePlan {
  const name =
    suffix === undefined ? plan.routeName : derivedName(plan.routeName, suffix.toLowerCase().replace(/[^a-z0-9]+/g, '-'), 50);
  const service = plan.attach === AttachMode.EXTPROC ? routedService(pool, gateway.adapter.serviceAnnotations(plan)) : undefined;
  return {
    name,
    backend:
      service === undefined
        ? { kind: 'InferencePool', name: pool.poolName, namespace: pool.namespace, port: undefined }
        : { kind: 'Service', name: service.name, namespace: pool.namespace, port: service.port },
    picker: { serviceName: picker.serviceName, namespace: picker.namespace, port: picker.port, secure: picker.secureServing },
  };
}

function pickerFor(
  gateway: GatewayState,
  plan: GatewayPlan,
  pool: IInferencePool,
  replicas: number,
  isLlmd: boolean,
): EndpointPicker {
  const existing = pool.node.tryFindChild('Picker');
  if (existing !== undefined) {
    return refuse(gateway.construct, {
      code: 'AIG487',
      what: `pool '${pool.poolName}' has a picker already, from another gateway in ${plan.attach.name} mode`,
      fix: 'give each gateway a pool of its own, over the same backend if you like',
    });
  }
  const { capabilities } = gateway.adapter;
  const options = { ...gateway.options.picker, ...pool.pickerOptions };
  const picker = new EndpointPicker(pool as unknown as Construct, 'Picker', {
    ...options,
    name: options.name ?? derivedName(pool.poolName, 'picker', MAX_PICKER_NAME),
    replicas: options.replicas ?? replicas,
    secureServing: options.secureServing ?? capabilities.pickerTls,
    pool: referenceTo(pool),
    ...(isLlmd ? {} : { _policy: policyInput(gateway, [pool]) }),
  });
  pool.usePicker(picker.serviceName, picker.port);
  const gatewayPods = gateway.adapter.gatewayPods(plan);
  picker.allowFrom(gatewayPods);
  pool.allowFrom(gatewayPods, 'sends requests to the engines');
  pool.allowFrom(peerIn(picker.podLabels, picker.namespace, pool.namespace), 'reads the engines’ metrics');
  return picker;
}
