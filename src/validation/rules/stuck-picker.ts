import { finding, type Rule } from './rule';
import { durationSeconds } from './support/quantities';
import { httpRoutes, isServedBy, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** In full duplex Envoy waits for a picker without end: neither messageTimeout nor the route's timeout counts (runs with Envoy 1.40). */
export const stuckPicker: Rule = {
  code: 'AIG127',
  name: 'stuck-picker',
  title: 'A picker that hangs does not hang its clients for ever',
  severity: 'warning',
  check: (index, profile) =>
    httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'envoy-gateway', 'envoy-ai-gateway'))
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) => {
          const request = rule.at('timeouts', 'request');
          if (durationSeconds(request.text) !== 0) return [];
          const hasPicker = policiesFor(index, EG, 'EnvoyExtensionPolicy', route, rule).some((policy) =>
            policy
              .at('spec', 'extProc')
              .items.some((extProc) => extProc.at('processingMode', 'request', 'body').text === 'FullDuplexStreamed'),
          );
          const isBounded = policiesFor(index, EG, 'BackendTrafficPolicy', route, rule).some(
            (policy) =>
              policy.at('spec', 'timeout', 'http', 'streamIdleTimeout').isSet ||
              policy.at('spec', 'timeout', 'http', 'maxStreamDuration').isSet,
          );
          if (!hasPicker || isBounded) return [];
          return [
            finding(request, 'turns the idle timeout off as well, so that a picker that hangs hangs its clients for ever', {
              fix: 'add timeout.http.streamIdleTimeout, 300s for example, to the BackendTrafficPolicy of the rule',
            }),
          ];
        }),
      ),
};
