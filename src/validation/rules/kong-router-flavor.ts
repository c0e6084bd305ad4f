import { finding, type Rule } from './rule';
import { httpRoutes, isServedBy, rulesOf } from './support/routes';

/** The traditional router of Kong knows neither; which one runs is in the configuration of its proxy, not in manifests of routes. */
export const kongRouterFlavor: Rule = {
  code: 'AIG169',
  name: 'kong-router-flavor',
  title: 'With Kong, matching by method or query wants its router of expressions',
  severity: 'hint',
  check: (index, profile) =>
    httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'kong'))
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) =>
          rule.at('matches').items.flatMap((match) =>
            [match.at('method'), match.at('queryParams')]
              .filter(({ isSet }) => isSet)
              .map((field) =>
                finding(field, 'is matched by Kong only with router_flavor: expressions', {
                  fix: 'see that KONG_ROUTER_FLAVOR is expressions, or match by path and headers',
                }),
              ),
          ),
        ),
      ),
};
