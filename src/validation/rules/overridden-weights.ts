import { finding, type Rule } from './rule';
import { backendRefs, httpRoutes, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** All Services of a rule are one cluster to Envoy Gateway, and the picker's choice looks across all of them. */
export const overriddenWeights: Rule = {
  code: 'AIG146',
  name: 'overridden-weights',
  title: 'A rule whose endpoints a picker chooses has one backend',
  severity: 'error',
  check: (index) =>
    httpRoutes(index).flatMap((route) =>
      rulesOf(route).flatMap((rule) => {
        const backends = backendRefs(rule).filter(({ weight }) => weight > 0);
        const overrides = policiesFor(index, EG, 'BackendTrafficPolicy', route, rule).some(
          (policy) => policy.at('spec', 'loadBalancer', 'endpointOverride').isSet,
        );
        if (backends.length < 2 || !overrides) return [];
        return [
          finding(
            rule.at('backendRefs'),
            'are several, and endpointOverride looks for the picked endpoint in all of them: weights do not hold',
            {
              fix: 'keep one backend, and split by model name in the picker',
            },
          ),
        ];
      }),
    ),
};
