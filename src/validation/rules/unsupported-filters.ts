import { finding, type Rule } from './rule';
import type { Implementation } from './support/implementation-names';
import { FACTS } from './support/implementations';
import { backendRefs, httpRoutes, implementationsOf, isPool, rulesOf } from './support/routes';

const NO_BACKEND_FILTERS: readonly Implementation[] = ['kong', 'nginx', 'gke'];

/** Filters that a gateway does not have make the rule invalid, or are not run. */
export const unsupportedFilters: Rule = {
  code: 'AIG121',
  name: 'unsupported-filters',
  title: 'The gateway of a route has the filters that the route uses',
  severity: 'error',
  check: (index, profile) =>
    httpRoutes(index).flatMap((route) =>
      implementationsOf(index, profile, route).flatMap((implementation) => {
        const { displayName, refusedFilters } = FACTS[implementation];
        return rulesOf(route).flatMap((rule) => [
          ...rule
            .at('filters')
            .items.filter((filter) => refusedFilters.includes(filter.at('type').text ?? ''))
            .map((filter) =>
              finding(filter.at('type'), `is no filter of ${displayName}`, {
                fix: "use the implementation's own object for it, or leave it out",
              }),
            ),
          ...rule
            .at('filters')
            .items.filter(
              (filter) =>
                implementation === 'gke' && filter.at('type').text === 'URLRewrite' && filter.at('urlRewrite', 'path').isSet,
            )
            .map((filter) => finding(filter.at('urlRewrite', 'path'), 'is not rewritten by GKE Gateway', { fix: 'remove it' })),
          ...rule
            .at('filters')
            .items.filter(
              (filter) => implementation === 'nginx' && filter.at('type').text === 'URLRewrite' && backendRefs(rule).some(isPool),
            )
            .map((filter) =>
              finding(filter.at('type'), 'does not work on a rule with a pool in NGINX Gateway Fabric', {
                fix: 'rewrite elsewhere, or name a Service',
                severity: 'warning',
              }),
            ),
          ...(NO_BACKEND_FILTERS.includes(implementation) ? backendRefs(rule) : [])
            .filter(({ field }) => field.at('filters').items.length > 0)
            .map(({ field }) => finding(field.at('filters'), `are not run by ${displayName}`, { fix: 'move them to the rule' })),
        ]);
      }),
    ),
};
