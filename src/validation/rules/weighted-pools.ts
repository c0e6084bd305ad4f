import { finding, type Rule, type RuleFinding } from './rule';
import { backendRefs, httpRoutes, implementationsOf, isPool, rulesOf } from './support/routes';

/** Which picker is asked when a rule has several backends differs; where it is one only, the weights do not hold. */
export const weightedPools: Rule = {
  code: 'AIG118',
  name: 'weighted-pools',
  title: 'A rule has one pool where the gateway asks one picker',
  severity: 'error',
  check: (index, profile) =>
    httpRoutes(index).flatMap((route) =>
      rulesOf(route).flatMap((rule) => {
        const refs = backendRefs(rule);
        const pools = refs.filter(isPool);
        const weighted = refs.filter(({ weight }) => weight > 0);
        if (pools.length === 0 || refs.length < 2) return [];
        return implementationsOf(index, profile, route).flatMap((implementation): RuleFinding[] => {
          const field = rule.at('backendRefs');
          const instead = 'split by model name (InferenceModelRewrite, or one rule for each pool)';
          if (implementation === 'istio') {
            const isPoolLast = weighted.length > 0 && isPool(weighted.at(-1)!);
            if (weighted.filter(isPool).length < 2 && isPoolLast) return [];
            return [
              finding(
                field,
                isPoolLast
                  ? 'has several pools, and Istio asks the picker of the last one only'
                  : 'ends with a Service, and Istio asks no picker then',
                { fix: isPoolLast ? instead : 'put the Service first' },
              ),
            ];
          }
          if (implementation === 'envoy-ai-gateway') {
            return [
              finding(field, 'has a pool and other backends, and Envoy AI Gateway takes exactly one pool', { fix: instead }),
            ];
          }
          if (implementation === 'nginx' && pools.length < refs.length) {
            return [finding(field, 'mixes pools and Services, which NGINX Gateway Fabric refuses', { fix: 'make two rules' })];
          }
          return [];
        });
      }),
    ),
};
