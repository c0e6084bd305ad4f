import { gatewayLimitName } from '../../shared/gateway-limits';
import type { KubeObject, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { attachments, httpRoutes, policiesFor } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** A client that names itself in a header has a budget for every name it can think of. */
export const clientChosenKey: Rule = {
  code: 'AIG301',
  name: 'client-chosen-key',
  title: 'A limit per client is keyed by what the gateway has verified',
  severity: 'warning',
  check: (index) =>
    index.ofKind(EG, 'BackendTrafficPolicy').flatMap((policy) =>
      [...policy.at('spec', 'rateLimit', 'global', 'rules').items, ...policy.at('spec', 'rateLimit', 'local', 'rules').items]
        .flatMap((rule) => rule.at('clientSelectors').items)
        .flatMap((selector) => selector.at('headers').items)
        .filter((header) => header.at('type').text === 'Distinct')
        .flatMap((header): RuleFinding[] => {
          const name = header.at('name');
          if (name.text === undefined) return [];
          if (name.text.toLowerCase() === 'authorization') {
            return [
              finding(name, 'keeps the clients’ credentials as keys in the store of the limiter', {
                fix: 'verify the client in a SecurityPolicy, forward its id in a header, and key by that',
              }),
            ];
          }
          if (isSetByPicker(index, policy, name.text)) return [];
          const securing = securityOf(index, policy);
          if (securing === undefined || securing.some((security) => sets(security, name.text!))) return [];
          return [
            finding(name, 'is a header that clients set as they like: nothing verifies or overwrites it', {
              fix: 'set it in a SecurityPolicy: apiKeyAuth.forwardClientIDHeader, or claimToHeaders of a JWT provider',
            }),
          ];
        }),
    ),
};

/** The picker removes every header of this name that a client sends, and names its verified client in it. */
function isSetByPicker(index: ObjectIndex, policy: KubeObject, header: string): boolean {
  if (!header.toLowerCase().startsWith(gatewayLimitName(''))) return false;
  return routesOf(index, policy).some((route) => policiesFor(index, EG, 'EnvoyExtensionPolicy', route).length > 0);
}

/** The SecurityPolicies of the routes of a policy; undefined unless the Gateways of all are in the input, and so the whole picture. */
function securityOf(index: ObjectIndex, policy: KubeObject): KubeObject[] | undefined {
  const routes = routesOf(index, policy);
  if (routes.length === 0) return undefined;
  if (routes.some((route) => attachments(index, route).some(({ gateway }) => gateway === undefined))) return undefined;
  return routes.flatMap((route) => policiesFor(index, EG, 'SecurityPolicy', route));
}

function routesOf(index: ObjectIndex, policy: KubeObject): KubeObject[] {
  return httpRoutes(index).filter((route) => policiesFor(index, EG, 'BackendTrafficPolicy', route).includes(policy));
}

function sets(security: KubeObject, header: string): boolean {
  const wanted = header.toLowerCase();
  const names = [
    security.at('spec', 'apiKeyAuth', 'forwardClientIDHeader').text,
    security.at('spec', 'basicAuth', 'forwardUsernameHeader').text,
    ...security
      .at('spec', 'jwt', 'providers')
      .items.flatMap((provider) => provider.at('claimToHeaders').items.map((claim) => claim.at('header').text)),
    ...['http', 'grpc'].flatMap((kind) => security.at('spec', 'extAuth', kind, 'headersToBackend').texts),
  ];
  // An external authorizer over gRPC may set any header.
  return names.some((name) => name?.toLowerCase() === wanted) || security.at('spec', 'extAuth', 'grpc').isSet;
}
