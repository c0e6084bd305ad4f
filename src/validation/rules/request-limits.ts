import type { Field } from '../object-index';
import { finding, type Rule } from './rule';
import { isModelRule } from './support/engines';
import { httpRoutes, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** One request may cost ten tokens or a hundred thousand: a limit of requests does not limit what models do. */
export const requestLimits: Rule = {
  code: 'AIG300',
  name: 'request-limits',
  title: 'Limits in front of models count tokens',
  severity: 'warning',
  check: (index) => {
    const policies = new Set(
      httpRoutes(index).flatMap((route) =>
        rulesOf(route)
          .filter((rule) => isModelRule(index, rule))
          .flatMap((rule) => policiesFor(index, EG, 'BackendTrafficPolicy', route, rule)),
      ),
    );
    return [...policies].flatMap((policy) => {
      const limits = policy.at('spec', 'rateLimit');
      const rules = [...limits.at('global', 'rules').items, ...limits.at('local', 'rules').items];
      // Beside a limit of tokens, one of requests is a second line of defence.
      if (rules.length === 0 || rules.some(countsTokens)) return [];
      return [
        finding(limits, 'counts requests, and a request to a model may cost anything', {
          fix: 'add cost.response.from: Metadata with the token count of the answer, and cost.request.number: 0',
        }),
      ];
    });
  },
};

export function countsTokens(rule: Field): boolean {
  return rule.at('cost', 'response', 'from').text === 'Metadata';
}
