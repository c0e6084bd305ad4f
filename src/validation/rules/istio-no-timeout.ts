import { finding, type Rule } from './rule';
import { durationSeconds } from './support/quantities';
import { httpRoutes, isServedBy, rulesOf } from './support/routes';

/** `0s` is "no timeout" in Gateway API; Istio takes it for "not set", and a mesh-wide default applies. */
export const istioNoTimeout: Rule = {
  code: 'AIG172',
  name: 'istio-no-timeout',
  title: 'With Istio, a timeout of 0s means that none is set',
  severity: 'hint',
  check: (index, profile) =>
    httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'istio'))
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) =>
          [rule.at('timeouts', 'request'), rule.at('timeouts', 'backendRequest')]
            .filter(({ text }) => durationSeconds(text) === 0)
            .map((field) =>
              finding(field, 'is the same as leaving it out in Istio, which then uses its default', {
                fix: 'write the longest answer that you allow, 3600s for example',
              }),
            ),
        ),
      ),
};
