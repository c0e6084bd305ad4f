import type { GatewayPlan, PlannedObject, TokenLimitFault, TokenLimitPlan } from '../plan';
import { type AiRateLimitingPluginConfig, kongPlugin } from './kong-plugin';

type Strategy = AiRateLimitingPluginConfig['tokens_count_strategy'];

/** Why Kong cannot enforce the last of these limits. Its plugin counts what its own ai-proxy reads in the answer, and not what the picker says. */
export function tokenLimitFault(limits: readonly TokenLimitPlan[], aiProxy: string | undefined): TokenLimitFault | undefined {
  const { key, models, weights } = limits[limits.length - 1]!;
  if (aiProxy === undefined) {
    const what = 'it counts tokens only where an ai-proxy plugin is on the route';
    return { what, value: 'no aiProxyPlugin', allowed: 'GatewayImplementation.kong({ aiProxyPlugin })' };
  }
  if (limits.length > 1) {
    return { what: 'its plugin can be on a route once', value: `${limits.length} limits`, allowed: 'one limit' };
  }
  if (key.source !== 'header' && key.source !== 'all') {
    const allowed = 'RateLimitKey.trustedHeader(…) or RateLimitKey.everything()';
    return { what: 'who the client is, is known behind it only', value: key.source, allowed };
  }
  if (models !== undefined) return { what: 'it knows no models', value: models.join(', '), allowed: 'a limit for all models' };
  if (strategyOf(weights) === undefined) {
    const { input, output, cached } = weights;
    const value = `input ${input}, output ${output}, cached ${cached}`;
    return { what: 'it knows no weights', value, allowed: 'all tokens, input alone or output alone, each counted once' };
  }
  return undefined;
}

function strategyOf({ input, output, cached }: TokenLimitPlan['weights']): Strategy | undefined {
  if (cached !== input) return undefined;
  const strategies: { [weights: string]: Strategy } = {
    '1 1': 'total_tokens',
    '1 0': 'prompt_tokens',
    '0 1': 'completion_tokens',
  };
  return strategies[`${input} ${output}`];
}

/** The plugin that counts; the ai-proxy plugin on the same route tells it the tokens. */
export function tokenLimitPlugin(plan: GatewayPlan, limit: TokenLimitPlan, provider: string): PlannedObject {
  const { key, amount, windowSeconds, weights } = limit;
  const config: AiRateLimitingPluginConfig = {
    llm_providers: [{ name: provider, limit: [amount], window_size: [windowSeconds] }],
    ...(key.source === 'header' ? { identifier: 'header', header_name: key.name! } : { identifier: 'service' }),
    tokens_count_strategy: strategyOf(weights)!,
    window_type: 'sliding',
    strategy: 'local',
  };
  return kongPlugin(plan, 'ai-rate-limiting-advanced', config, `enforces the limit ${limit.name}, when an answer is over`);
}
