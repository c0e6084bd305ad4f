import { finding, type Rule } from './rule';
import { backendRefs, httpRoutes, isServedBy, rulesOf } from './support/routes';

/** Since 1.9 Envoy Gateway refuses Services of type ExternalName, through which a route could reach anything. */
export const externalNameBackend: Rule = {
  code: 'AIG144',
  name: 'external-name-backend',
  title: 'Routes of Envoy Gateway do not lead to ExternalName Services',
  severity: 'error',
  check: (index, profile) =>
    httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'envoy-gateway', 'envoy-ai-gateway'))
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) =>
          backendRefs(rule).flatMap(({ field, kind, group, namespace, name }) => {
            const service = group === '' && kind === 'Service' ? index.find('', 'Service', namespace, name) : undefined;
            if (service?.at('spec', 'type').text !== 'ExternalName') return [];
            return [
              finding(field.at('name'), 'names an ExternalName Service, which Envoy Gateway refuses', {
                fix: 'make a Backend of gateway.envoyproxy.io with an fqdn endpoint, and refer to it',
              }),
            ];
          }),
        ),
      ),
};
