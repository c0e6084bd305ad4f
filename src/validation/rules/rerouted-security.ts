import { finding, type Rule } from './rule';
import { GATEWAY_API, policiesFor } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** A route chosen again after the body was read keeps the filters of the first one: its SecurityPolicy is not run. */
export const reroutedSecurity: Rule = {
  code: 'AIG151',
  name: 'rerouted-security',
  title: 'Where the body chooses the route, the Gateway has the SecurityPolicy',
  severity: 'warning',
  check: (index) =>
    index.ofKind(EG, 'SecurityPolicy').flatMap((policy) =>
      policy
        .at('spec', 'targetRefs')
        .items.filter((ref) => ref.at('kind').text === 'HTTPRoute')
        .flatMap((ref) => {
          const route = index.find(GATEWAY_API, 'HTTPRoute', policy.namespace, ref.at('name').text ?? '');
          if (route === undefined) return [];
          const rerouting = policiesFor(index, EG, 'EnvoyExtensionPolicy', route).some(
            (extension) =>
              extension.at('spec', 'targetRefs').items.some((target) => target.at('kind').text === 'Gateway') &&
              extension.at('spec', 'extProc').items.some((extProc) => extProc.at('processingMode', 'request', 'body').isSet),
          );
          if (!rerouting) return [];
          return [
            finding(ref, 'secures a route of a Gateway whose extension reads bodies: a request that is routed again skips it', {
              fix: 'target the Gateway with the SecurityPolicy',
            }),
          ];
        }),
    ),
};
