import { defineScorer, promptTokens } from '../../src/picker/scheduling/interface';

/**
 * Prefers the engine whose KV cache has most room left once the request's prompt is in it: an engine that runs out of room throws
 * requests out in the middle of their answers. What it has cached of the prompt takes no room twice.
 */
export const headroomScorer = defineScorer({
  type: 'headroom-scorer',
  usesPrefixCache: true,
  usesMetrics: true,
  create: (parameters) => {
    const reserveTokens = parameters.integer('reserveTokens', 1_024, { min: 0 });
    return (request, endpoint) => {
      // an engine that does not report its size is neither good nor bad
      if (endpoint.kvTokens === 0) return 0.5;
      const used = endpoint.kvUsageRatio * endpoint.kvTokens;
      const needed = promptTokens(request) - endpoint.cachedTokens + reserveTokens;
      return Math.min(1, Math.max(0, (endpoint.kvTokens - used - needed) / endpoint.kvTokens));
    };
  },
});
