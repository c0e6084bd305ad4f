import { finding, type Rule } from './rule';
import { implementationOf } from './support/implementations';
import { GATEWAY_API } from './support/routes';

/** Kong reads the listeners of Gateways only; routes of a ListenerSet get no answer. */
export const kongListenerSets: Rule = {
  code: 'AIG168',
  name: 'kong-listener-sets',
  title: 'With Kong, listeners stand in the Gateway',
  severity: 'error',
  check: (index, profile) =>
    index.ofKind(GATEWAY_API, 'ListenerSet').flatMap((set) => {
      const ref = set.at('spec', 'parentRef');
      const gateway = index.find(GATEWAY_API, 'Gateway', ref.at('namespace').text ?? set.namespace, ref.at('name').text ?? '');
      if (gateway === undefined || implementationOf(index, profile, gateway) !== 'kong') return [];
      return [
        finding(ref.at('name'), 'is a Gateway of Kong, which does not read ListenerSets', {
          fix: 'write its listeners into the Gateway',
        }),
      ];
    }),
};
