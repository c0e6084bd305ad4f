import { finding, type Rule, type RuleFinding } from './rule';
import { backendRefs, httpRoutes, implementationsOf, isPool, poolPicker, rulesOf } from './support/routes';

/** What happens when the picker does not answer is the gateway's doing, and not every one reads the pool's wish. */
export const failureMode: Rule = {
  code: 'AIG123',
  name: 'failure-mode',
  title: 'The failure mode of a pool is one that its gateway honours',
  severity: 'warning',
  check: (index, profile) => {
    const seen = new Set<unknown>();
    return httpRoutes(index).flatMap((route) =>
      implementationsOf(index, profile, route).flatMap((implementation) =>
        rulesOf(route).flatMap((rule) =>
          backendRefs(rule)
            .filter(isPool)
            .flatMap(({ group, kind, namespace, name }): RuleFinding[] => {
              const pool = index.find(group, kind, namespace, name);
              if (pool === undefined || seen.has(pool)) return [];
              const mode = poolPicker(pool).ref.at('failureMode');
              if (implementation === 'envoy-ai-gateway' && mode.text === 'FailOpen') {
                seen.add(pool);
                return [
                  finding(mode, 'is not honoured by Envoy AI Gateway, which always fails closed', { fix: 'set FailClose' }),
                ];
              }
              if (implementation === 'nginx' && mode.text === 'FailClose') {
                seen.add(pool);
                return [
                  finding(mode, 'has no effect in NGINX Gateway Fabric 2.6: without the picker, requests go to any pod', {
                    fix: 'set FailOpen, which is what happens, or take another gateway',
                  }),
                ];
              }
              return [];
            }),
        ),
      ),
    );
  },
};
