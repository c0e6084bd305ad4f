import { gatewayLimitName, PICKER_METADATA } from '../../shared/gateway-limits';
import { AttachMode } from '../attach-mode';
import type { TokenLimitFault, TokenLimitPlan } from '../plan';
import type { GlobalRateLimitRule } from './types';

const DAY = 86_400;
/** The windows of the rate limit service, in seconds; a month has 30 days there, and a year 365. */
const UNITS: ReadonlyMap<number, string> = new Map([
  [1, 'Second'],
  [60, 'Minute'],
  [3_600, 'Hour'],
  [DAY, 'Day'],
  [7 * DAY, 'Week'],
  [30 * DAY, 'Month'],
  [365 * DAY, 'Year'],
]);
const MAX_AMOUNT = 2 ** 32 - 1;

/** Why Envoy Gateway cannot enforce the last of these limits. */
export function tokenLimitFault(limits: readonly TokenLimitPlan[], attach: AttachMode): TokenLimitFault | undefined {
  const { amount, windowSeconds } = limits[limits.length - 1]!;
  if (attach !== AttachMode.EXTPROC) {
    const what = 'behind the proxy of this mode it does not hear of tokens';
    return { what, value: attach.name, allowed: `${AttachMode.EXTPROC.name} mode, which has one pool` };
  }
  if (!UNITS.has(windowSeconds)) {
    const allowed = '1 second, 1 minute, 1 hour, 1 day, 7 days, 30 days or 365 days';
    return { what: 'its windows are of fixed lengths', value: `${windowSeconds} s`, allowed };
  }
  if (amount > MAX_AMOUNT) return { what: 'it counts in 32 bits', value: amount, allowed: `up to ${MAX_AMOUNT} tokens` };
  return undefined;
}

/**
 * Looks before a request whether anything is left, and charges what the picker reports when the answer is over. The picker names what a
 * request is counted by in a header that no client can send, and only where the limit is for its model. One budget for all listeners.
 */
export function rateLimitRule({ name, amount, windowSeconds }: TokenLimitPlan): GlobalRateLimitRule {
  const key = gatewayLimitName(name);
  return {
    clientSelectors: [{ headers: [{ name: key, type: 'Distinct' }] }],
    limit: { requests: amount, unit: UNITS.get(windowSeconds)! },
    cost: {
      request: { from: 'Number', number: 0 },
      response: { from: 'Metadata', metadata: { namespace: PICKER_METADATA, key } },
    },
    shared: true,
  };
}
