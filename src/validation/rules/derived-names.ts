import { finding, type Rule, type RuleFinding } from './rule';
import { implementationOf } from './support/implementations';
import { backendRefs, GATEWAY_API, httpRoutes, isPool, isServedBy, rulesOf } from './support/routes';

const MAX_LABEL = 63;
// `-ip-` and eight digits.
const ISTIO_POOL_SUFFIX = 12;

/** Gateways make objects whose names begin with yours: what fits 63 characters alone may not fit with the suffix. */
export const derivedNames: Rule = {
  code: 'AIG124',
  name: 'derived-names',
  title: 'Names leave room for the objects that a gateway makes from them',
  severity: 'error',
  check: (index, profile) => [
    ...index.ofKind(GATEWAY_API, 'Gateway').flatMap((gateway): RuleFinding[] => {
      const implementation = implementationOf(index, profile, gateway);
      const className = gateway.at('spec', 'gatewayClassName').text ?? '';
      // Istio makes a Service `<gateway>-<class>`, unless the Gateway stands for an existing one (spec.addresses).
      const suffix = implementation === 'istio' && !gateway.at('spec', 'addresses').isSet ? className.length + 1 : 0;
      const limit = MAX_LABEL - suffix;
      if (implementation === undefined || gateway.name.length <= limit) return [];
      return [
        finding(gateway.at('metadata', 'name'), `is too long for the Service that the gateway makes of it`, {
          allowed: `at most ${limit} characters`,
          fix: 'choose a shorter name',
        }),
      ];
    }),
    ...poolsOfIstio(index, profile).flatMap((pool) =>
      pool.name.length <= MAX_LABEL - ISTIO_POOL_SUFFIX
        ? []
        : [
            finding(pool.at('metadata', 'name'), 'is too long for the Service that Istio makes of the pool', {
              allowed: `at most ${MAX_LABEL - ISTIO_POOL_SUFFIX} characters`,
              fix: 'choose a shorter name',
              severity: 'warning',
            }),
          ],
    ),
  ],
};

function poolsOfIstio(...[index, profile]: Parameters<Rule['check']>) {
  const pools = httpRoutes(index)
    .filter((route) => isServedBy(index, profile, route, 'istio'))
    .flatMap((route) => rulesOf(route).flatMap((rule) => backendRefs(rule).filter(isPool)))
    .flatMap(({ group, kind, namespace, name }) => index.find(group, kind, namespace, name) ?? []);
  return [...new Set(pools)];
}
