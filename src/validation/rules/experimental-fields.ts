import { finding, type Rule } from './rule';
import { GATEWAY_API, rulesOf } from './support/routes';

/** A server with the standard channel of Gateway API drops these fields, and says nothing unless asked to be strict. */
export const experimentalFields: Rule = {
  code: 'AIG129',
  name: 'experimental-fields',
  title: 'Fields of the experimental channel are used with that channel only',
  severity: 'error',
  replaces: 'AIG010',
  check: (index, profile) => {
    if (profile.gatewayApiChannel === 'experimental') return [];
    const routes = index.ofKinds(GATEWAY_API, 'HTTPRoute', 'GRPCRoute');
    const fields = [
      ...routes.flatMap((route) => [
        ...rulesOf(route).flatMap((rule) => [
          rule.at('retry'),
          rule.at('sessionPersistence'),
          ...rule.at('filters').items.map((filter) => filter.at('externalAuth')),
        ]),
        route.at('spec', 'useDefaultGateways'),
      ]),
      ...index.ofKind(GATEWAY_API, 'Gateway').map((gateway) => gateway.at('spec', 'defaultScope')),
    ];
    return fields
      .filter((field) => field.isSet)
      .map((field) =>
        finding(field, 'is a field of the experimental channel, which a server with the standard channel drops', {
          fix: "remove it and use the gateway's own policy, or install the experimental channel and pass --gateway-api-channel experimental",
        }),
      );
  },
};
