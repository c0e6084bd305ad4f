import { finding, type Rule } from './rule';
import { GATEWAY_API } from './support/routes';

const AIGW = 'aigateway.envoyproxy.io';

/** Envoy AI Gateway makes an HTTPRoute of each AIGatewayRoute, under its name and with a last rule of its own. */
export const aiGatewayRoutes: Rule = {
  code: 'AIG160',
  name: 'ai-gateway-routes',
  title: 'An AIGatewayRoute leaves names to the objects that are made of it',
  severity: 'error',
  check: (index) =>
    index.ofKind(AIGW, 'AIGatewayRoute').flatMap((route) => [
      ...(index.find(GATEWAY_API, 'HTTPRoute', route.namespace, route.name) === undefined
        ? []
        : [
            finding(route.at('metadata', 'name'), 'is the name of an HTTPRoute as well, which the AI gateway overwrites', {
              fix: 'rename one of them',
            }),
          ]),
      ...route
        .at('spec', 'rules')
        .items.filter((rule) => rule.at('name').text === 'route-not-found')
        .map((rule) => finding(rule.at('name'), 'is reserved by the AI gateway', { fix: 'choose another name' })),
    ]),
};
