import { finding, type Rule } from './rule';
import type { Implementation } from './support/implementation-names';
import { FACTS } from './support/implementations';
import { attachments, backendRefs, httpRoutes, implementationsOf, isPool, rulesOf } from './support/routes';

const INSTEAD: Partial<Record<Implementation, string>> = {
  'envoy-gateway':
    'name a Service, with an EnvoyExtensionPolicy to the picker and a BackendTrafficPolicy with endpointOverride; or install Envoy AI Gateway',
};

const WAYPOINT_CLASS = 'istio-waypoint';

/** An implementation that does not know InferencePools answers 500 on the rule, and says InvalidKind in a status that few read. */
export const poolSupport: Rule = {
  code: 'AIG116',
  name: 'pool-support',
  title: 'The gateway of a route knows InferencePools',
  severity: 'error',
  check: (index, profile) => [
    ...httpRoutes(index)
      .filter((route) =>
        attachments(index, route).some(({ gateway }) => gateway?.at('spec', 'gatewayClassName').text === WAYPOINT_CLASS),
      )
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) =>
          backendRefs(rule)
            .filter(isPool)
            .map(({ field }) =>
              finding(field.at('kind'), 'has no picker at a waypoint: Istio asks it in gateways only', {
                allowed: 'Service',
                fix: 'attach the route to a Gateway of class istio',
              }),
            ),
        ),
      ),
    ...httpRoutes(index).flatMap((route) =>
      implementationsOf(index, profile, route)
        .filter((implementation) => !FACTS[implementation].pools)
        .flatMap((implementation) =>
          rulesOf(route).flatMap((rule) =>
            backendRefs(rule)
              .filter(isPool)
              .map(({ field }) =>
                finding(field.at('kind'), `is not known to ${FACTS[implementation].displayName}`, {
                  allowed: 'Service',
                  fix: INSTEAD[implementation] ?? 'name the Service of a proxy with the picker beside it',
                  // Envoy AI Gateway is installed without a trace in the manifests of an app.
                  ...(implementation === 'envoy-gateway' && profile.implementation === undefined
                    ? { severity: 'warning' as const }
                    : {}),
                }),
              ),
          ),
        ),
    ),
  ],
};
