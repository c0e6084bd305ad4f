import { finding, type Rule } from './rule';
import { httpRoutes, rulesOf } from './support/routes';

/** The CEL rule for it exists in the experimental channel only; Istio has more to ask of names. */
export const ruleNames: Rule = {
  code: 'AIG115',
  name: 'rule-names',
  title: 'Names of the rules of a route are unique',
  severity: 'error',
  check: (index) =>
    httpRoutes(index).flatMap((route) => {
      const seen = new Set<string>();
      return rulesOf(route).flatMap((rule) => {
        const name = rule.at('name');
        if (name.text === undefined || name.text === '') return [];
        if (seen.has(name.text)) return [finding(name, 'is the name of two rules', { fix: 'rename one of them' })];
        seen.add(name.text);
        return [];
      });
    }),
};
