import { finding, type Rule } from './rule';
import type { Implementation } from './support/implementation-names';
import { FACTS } from './support/implementations';
import { attachments, backendRefs, httpRoutes, isServedBy, rulesOf } from './support/routes';

const WITHOUT: readonly Implementation[] = ['kong', 'aws'];

/** Some gateways do not read BackendTLSPolicies: requests go in plain text to a backend that was to be reached by TLS. */
export const backendTls: Rule = {
  code: 'AIG167',
  name: 'backend-tls',
  title: 'A BackendTLSPolicy is for a gateway that reads it',
  severity: 'error',
  check: (index, profile) =>
    index.ofKind('gateway.networking.k8s.io', 'BackendTLSPolicy').flatMap((policy) =>
      policy
        .at('spec', 'targetRefs')
        .items.filter((ref) => ref.at('kind').text === 'Service')
        .flatMap((ref) => {
          const routes = httpRoutes(index).filter(
            (route) =>
              attachments(index, route).length > 0 &&
              rulesOf(route).some((rule) =>
                backendRefs(rule).some(
                  ({ kind, name, namespace }) =>
                    kind === 'Service' && name === ref.at('name').text && namespace === policy.namespace,
                ),
              ),
          );
          const ignoring = WITHOUT.find((implementation) =>
            routes.some((route) => isServedBy(index, profile, route, implementation)),
          );
          if (ignoring === undefined) return [];
          return [
            finding(ref, `is reached through ${FACTS[ignoring].displayName}, which does not read BackendTLSPolicies`, {
              fix:
                ignoring === 'kong'
                  ? 'set konghq.com/protocol: https and konghq.com/tls-verify on the Service'
                  : "use the implementation's own setting",
            }),
          ];
        }),
    ),
};
