import { finding, type Rule } from './rule';
import { httpRoutes, isServedBy, rulesOf } from './support/routes';

/**
 * Istio keeps the picker of a rule under the rule's name alone, over all routes of a host
 * (pilot/pkg/config/kube/gateway/route_collections.go): two rules of one name get one picker.
 */
export const istioRuleNames: Rule = {
  code: 'AIG120',
  name: 'istio-rule-names',
  title: 'With Istio, names of rules with a pool are unique over all routes, and without dots',
  severity: 'error',
  check: (index, profile) => {
    const seen = new Map<string, string>();
    return httpRoutes(index)
      .filter((route) => isServedBy(index, profile, route, 'istio'))
      .flatMap((route) =>
        rulesOf(route).flatMap((rule) => {
          const name = rule.at('name');
          const hasPool = rule.at('backendRefs').items.some((ref) => ref.at('kind').text === 'InferencePool');
          if (name.text === undefined || name.text === '' || !hasPool) return [];
          if (name.text.includes('.'))
            return [finding(name, 'has a dot, which Istio uses to take route names apart', { fix: 'use - instead' })];
          const first = seen.get(name.text);
          const own = `${route.namespace}/${route.name}`;
          seen.set(name.text, first ?? own);
          if (first === undefined || first === own) return [];
          return [
            finding(name, `is the name of a rule of HTTPRoute ${first}, too: Istio gives both the picker of one`, {
              fix: 'leave the name out, or make it unique',
            }),
          ];
        }),
      );
  },
};
