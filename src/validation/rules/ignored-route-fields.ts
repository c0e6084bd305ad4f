import { finding, type Rule } from './rule';
import { FACTS } from './support/implementations';
import { httpRoutes, implementationsOf, rulesOf } from './support/routes';

const INSTEAD: Readonly<Record<string, string>> = {
  'kong timeouts.request': 'set timeouts.backendRequest, or the annotation konghq.com/read-timeout of the Service',
  'nginx timeouts.request': 'set the timeout of a ProxySettingsPolicy',
  'nginx timeouts.backendRequest': 'set the timeout of a ProxySettingsPolicy',
  'gke timeouts.request': 'set timeoutSec of a GCPBackendPolicy',
  'gke timeouts.backendRequest': 'set timeoutSec of a GCPBackendPolicy',
  'kong retry': 'set the annotation konghq.com/retries of the Service',
};

/** Fields that a gateway reads over: what was asked for does not happen. */
export const ignoredRouteFields: Rule = {
  code: 'AIG122',
  name: 'ignored-route-fields',
  title: 'The gateway of a route acts upon the fields that the route sets',
  severity: 'warning',
  check: (index, profile) =>
    httpRoutes(index).flatMap((route) =>
      implementationsOf(index, profile, route).flatMap((implementation) =>
        rulesOf(route).flatMap((rule) =>
          FACTS[implementation].ignoredFields
            .map((name) => ({ name, field: rule.at(...name.split('.')) }))
            .filter(({ field }) => field.isSet)
            .map(({ name, field }) =>
              finding(field, `is ignored by ${FACTS[implementation].displayName}`, {
                fix: INSTEAD[`${implementation} ${name}`] ?? 'remove it, and do not rely on it',
                // A name without effect harms nobody.
                ...(name === 'name' ? { severity: 'hint' as const } : {}),
              }),
            ),
        ),
      ),
    ),
};
