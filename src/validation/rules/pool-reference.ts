import { finding, type Rule } from './rule';
import { backendRefs, httpRoutes, isPool, rulesOf } from './support/routes';

/** Pools have target ports of their own, and no implementation looks at the port of the reference. */
export const poolReference: Rule = {
  code: 'AIG117',
  name: 'pool-reference',
  title: 'A reference to a pool has no port',
  severity: 'hint',
  check: (index) =>
    httpRoutes(index).flatMap((route) =>
      rulesOf(route).flatMap((rule) =>
        backendRefs(rule)
          .filter((ref) => isPool(ref) && ref.port !== undefined)
          .map(({ field }) =>
            finding(field.at('port'), 'is ignored: the target ports of the pool count', {
              fix: 'remove it',
              mend: { remove: field.at('port').path },
            }),
          ),
      ),
    ),
};
