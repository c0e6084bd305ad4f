import type { AttachMode } from '../../implementations/attach-mode';
import type { TokenLimitPlan } from '../../implementations/plan';
import { refuse } from '../internal/errors';
import type { PickerLimit } from '../picker-limit';
import { requireFeature } from './attach';
import type { GatewayState } from './gateway-state';
import { isGatewayLimit } from './limit-checks';

const WAYS_OUT = ['leave enforcement out: the picker enforces the limit on every gateway'];

/** Refuses limits that the gateway is to enforce and cannot. @throws AIG478 */
export function checkGatewayLimits({ construct, adapter, limits }: GatewayState, mode: AttachMode): void {
  const plans: TokenLimitPlan[] = [];
  for (const limit of limits.filter(isGatewayLimit)) {
    const asked = `enforce limit '${limit.limitName}' itself`;
    requireFeature(construct, adapter.capabilities, 'token-limits', mode, asked, WAYS_OUT);
    plans.push(tokenLimitPlan(limit));
    const fault = adapter.tokenLimitFault?.(plans, mode);
    if (fault === undefined) continue;
    refuse(limit, {
      code: 'AIG478',
      what: `${adapter.capabilities.displayName} cannot enforce the limit: ${fault.what}`,
      value: fault.value,
      allowed: fault.allowed,
      fix: WAYS_OUT.join(', or '),
    });
  }
}

/** What the gateway itself enforces. */
export function tokenLimitPlans({ limits }: GatewayState): TokenLimitPlan[] {
  return limits.filter(isGatewayLimit).map(tokenLimitPlan);
}

function tokenLimitPlan(limit: PickerLimit): TokenLimitPlan {
  const { amount, windowSeconds, weights } = limit._counts();
  const { source, name } = limit.key;
  return { name: limit.limitName, amount, windowSeconds: windowSeconds!, weights, key: { source, name }, models: limit.models };
}
