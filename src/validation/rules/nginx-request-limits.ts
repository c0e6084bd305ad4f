import { finding, type Rule } from './rule';
import { isModelRule } from './support/engines';
import { GATEWAY_API, rulesOf } from './support/routes';

/** NGINX Gateway Fabric limits requests only. */
export const nginxRequestLimits: Rule = {
  code: 'AIG307',
  name: 'nginx-request-limits',
  title: 'A RateLimitPolicy of NGINX does not stand for a budget of tokens',
  severity: 'hint',
  check: (index) =>
    index.ofKind('gateway.nginx.org', 'RateLimitPolicy').flatMap((policy) =>
      policy
        .at('spec', 'targetRefs')
        .items.filter((ref) => {
          const route = index.find(GATEWAY_API, 'HTTPRoute', policy.namespace, ref.at('name').text ?? '');
          return (
            ref.at('kind').text === 'HTTPRoute' && route !== undefined && rulesOf(route).some((rule) => isModelRule(index, rule))
          );
        })
        .map((ref) =>
          finding(ref, 'leads to models, and NGINX counts requests, not tokens', {
            fix: 'keep it against floods, and limit tokens behind the gateway, in the picker',
          }),
        ),
    ),
};
