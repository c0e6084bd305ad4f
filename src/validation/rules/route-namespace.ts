import type { Field, KubeObject, ObjectIndex } from '../object-index';
import { listenersOf } from './route-listener';
import { finding, named, type Rule, type RuleFinding } from './rule';
import { attachments, GATEWAY_API } from './support/routes';
import { selectsPods } from './workload-selector';

/** `allowedRoutes.namespaces`: only routes of the Gateway's own namespace, unless it says otherwise. */
export const routeNamespace: Rule = {
  code: 'AIG106',
  name: 'route-namespace',
  title: 'The listener of a route allows the namespace of the route',
  severity: 'error',
  check: (index) =>
    index.ofKinds(GATEWAY_API, 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute').flatMap((route) =>
      attachments(index, route).flatMap(({ parentRef, gateway }): RuleFinding[] => {
        if (gateway === undefined) return [];
        const meant = listenersOf(parentRef, gateway);
        if (meant.length === 0 || meant.some((listener) => allows(index, listener, gateway, route))) return [];
        const from = meant[0]!.at('allowedRoutes', 'namespaces', 'from').text ?? 'Same';
        return [
          finding(
            parentRef,
            `attaches from namespace ${route.namespace}, which ${named('Gateway', gateway.namespace, gateway.name)} does not allow`,
            {
              allowed:
                from === 'Same'
                  ? `routes of namespace ${gateway.namespace}`
                  : 'namespaces that the selector of the listener selects',
              fix: 'set allowedRoutes.namespaces of the listener, with from: Selector or All',
            },
          ),
        ];
      }),
    ),
};

function allows(index: ObjectIndex, listener: Field, gateway: KubeObject, route: KubeObject): boolean {
  const namespaces = listener.at('allowedRoutes', 'namespaces');
  const from = namespaces.at('from').text ?? 'Same';
  if (from === 'Same') return gateway.namespace === route.namespace || gateway.namespace === '' || route.namespace === '';
  if (from !== 'Selector') return from === 'All';
  if (route.namespace === '') return true;
  const known = index.find('', 'Namespace', '', route.namespace)?.at('metadata', 'labels').labels;
  const labels = new Map([...(known ?? []), ['kubernetes.io/metadata.name', route.namespace]]);
  // Without the Namespace in the input, only the label that every namespace has is known.
  const selector = namespaces.at('selector');
  const keys = [
    ...selector.at('matchLabels').labels.keys(),
    ...selector.at('matchExpressions').items.map((expression) => expression.at('key').text),
  ];
  if (known === undefined && keys.some((key) => key !== 'kubernetes.io/metadata.name')) return true;
  return selectsPods(selector, labels);
}
