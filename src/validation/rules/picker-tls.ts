import { finding, type Rule, type RuleFinding } from './rule';
import { FACTS } from './support/implementations';
import { flagIsOn, pickers } from './support/pickers';
import { backendRefs, httpRoutes, implementationsOf, isPool, rulesOf } from './support/routes';

/** Who speaks TLS to a picker, and who does not, differs from gateway to gateway. */
export const pickerTls: Rule = {
  code: 'AIG111',
  name: 'picker-tls',
  title: 'Gateway and picker agree on TLS',
  severity: 'error',
  check: (index, profile) =>
    pickers(index).flatMap((picker): RuleFinding[] => {
      const { pool, container, flags, service } = picker;
      const isSecure = flagIsOn(picker, 'secure-serving', true);
      if (container === undefined || isSecure === undefined || service === undefined) return [];
      const routes = httpRoutes(index).filter((route) =>
        rulesOf(route).some((rule) =>
          backendRefs(rule).some((ref) => isPool(ref) && ref.name === pool.name && ref.namespace === pool.namespace),
        ),
      );
      const field = flags.get('secure-serving')?.field ?? container;
      return [...new Set(routes.flatMap((route) => implementationsOf(index, profile, route)))].flatMap((implementation) => {
        const { displayName } = FACTS[implementation];
        if ((implementation === 'agentgateway' || implementation === 'envoy-ai-gateway') && !isSecure) {
          return [
            finding(field, `turns TLS off, and ${displayName} always speaks TLS to a picker`, {
              fix: 'remove --secure-serving=false: the picker makes a certificate for itself',
              mend: field.text?.includes('=') ? { remove: field.path } : undefined,
            }),
          ];
        }
        if (implementation !== 'istio') return [];
        const tls = index
          .ofKind('networking.istio.io', 'DestinationRule')
          .filter((rule) => hostOf(rule.at('spec', 'host').text ?? '', rule.namespace) === `${service.name}.${service.namespace}`)
          .map((rule) => rule.at('spec', 'trafficPolicy', 'tls'))
          .find((entry) => entry.isSet);
        if (isSecure && tls === undefined) {
          return [
            {
              field: picker.ref.at('name'),
              what: `the picker ${service.name} serves TLS, and ${displayName} speaks plain text to it without a DestinationRule`,
              fix: `add a DestinationRule for ${service.name}.${service.namespace}.svc.cluster.local with tls mode SIMPLE and insecureSkipVerify, or set --secure-serving=false`,
              severity: 'warning',
            },
          ];
        }
        if (!isSecure && tls !== undefined && tls.at('mode').text !== 'DISABLE') {
          return [
            finding(tls, 'makes Istio speak TLS to a picker that serves plain text', {
              fix: 'remove the DestinationRule, or --secure-serving=false',
            }),
          ];
        }
        return [];
      });
    }),
};

/** `name.namespace` of a host in any of its forms. */
function hostOf(host: string, namespace: string): string {
  const [name = '', second] = host.split('.');
  return `${name}.${second ?? namespace}`;
}
