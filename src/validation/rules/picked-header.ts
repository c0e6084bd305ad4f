import { finding, type Rule } from './rule';
import { httpRoutes, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** Route filters run after the picker: they cannot stop a forged header, and may delete the picker's. */
export const pickedHeader: Rule = {
  code: 'AIG147',
  name: 'picked-header',
  title: 'A route does not change the header in which the picker answers',
  severity: 'error',
  check: (index) =>
    httpRoutes(index).flatMap((route) =>
      rulesOf(route).flatMap((rule) => {
        const headers = policiesFor(index, EG, 'BackendTrafficPolicy', route, rule).flatMap((policy) =>
          policy
            .at('spec', 'loadBalancer', 'endpointOverride', 'extractFrom')
            .items.flatMap((source) => source.at('header').text?.toLowerCase() ?? []),
        );
        return rule.at('filters').items.flatMap((filter) => {
          const modifier = filter.at('requestHeaderModifier');
          const changed = [
            ...modifier.at('remove').items,
            ...[...modifier.at('set').items, ...modifier.at('add').items].map((entry) => entry.at('name')),
          ];
          return changed
            .filter(({ text }) => text !== undefined && headers.includes(text.toLowerCase()))
            .map((field) =>
              finding(field, 'is the header in which the picker answers, and filters of a route run after the picker', {
                fix: 'remove clients’ copies in a ClientTrafficPolicy: headers.earlyRequestHeaders.remove',
              }),
            );
        });
      }),
    ),
};
