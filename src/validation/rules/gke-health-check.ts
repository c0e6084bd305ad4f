import { finding, type Rule } from './rule';
import { backendRefs, httpRoutes, isPool, isServedBy, rulesOf } from './support/routes';

/** Google's load balancer probes `/` unless told otherwise, and engines answer 404 there: every endpoint is unhealthy. */
export const gkeHealthCheck: Rule = {
  code: 'AIG170',
  name: 'gke-health-check',
  title: 'With GKE, a pool has a HealthCheckPolicy',
  severity: 'warning',
  check: (index, profile) =>
    httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'gke'))
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) =>
          backendRefs(rule)
            .filter(isPool)
            .flatMap(({ field, namespace, name, group, kind }) => {
              // The policy lives beside the pool: without the pool, it may be elsewhere as well.
              if (index.find(group, kind, namespace, name) === undefined && profile.complete !== true) return [];
              const has = index
                .ofKind('networking.gke.io', 'HealthCheckPolicy')
                .some((policy) => policy.namespace === namespace && policy.at('spec', 'targetRef', 'name').text === name);
              if (has) return [];
              return [
                finding(
                  field.at('name'),
                  'is a pool without a HealthCheckPolicy, so that GKE probes / and finds no healthy pod',
                  {
                    fix: 'add a HealthCheckPolicy with httpHealthCheck.requestPath: /health for the pool',
                  },
                ),
              ];
            }),
        ),
      ),
};
