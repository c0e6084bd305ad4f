import { finding, type Rule } from './rule';
import { backendRefs, httpRoutes, isPool, isServedBy, rulesOf } from './support/routes';

/**
 * Istio writes the CORS policy over the per-route settings of the picker's filter (pilot/pkg/networking/core/route/route.go), so that
 * requests go round robin, and no status says so.
 */
export const istioPoolFilters: Rule = {
  code: 'AIG119',
  name: 'istio-pool-filters',
  title: 'With Istio, a rule with a pool has no CORS filter',
  severity: 'error',
  check: (index, profile) =>
    httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'istio'))
      .flatMap((route) =>
        rulesOf(route)
          .filter((rule) => backendRefs(rule).some(isPool))
          .flatMap((rule) =>
            rule
              .at('filters')
              .items.filter((filter) => filter.at('type').text === 'CORS')
              .map((filter) =>
                finding(filter.at('type'), 'switches the picker of this rule off in Istio', {
                  fix: 'answer CORS in an EnvoyFilter, or in a gateway before this one',
                }),
              ),
          ),
      ),
};
