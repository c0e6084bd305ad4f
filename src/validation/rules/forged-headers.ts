import type { KubeObject, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { attachments, backendRefs, httpRoutes, isPool, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';
const PRIORITY_HEADERS = ['x-gateway-inference-objective', 'x-llm-d-inference-objective'];

/** Headers that choose the pod, the priority or the tenant are for gateway and picker; a client's copy has to go. */
export const forgedHeaders: Rule = {
  code: 'AIG302',
  name: 'forged-headers',
  title: 'Clients cannot choose pod, priority or tenant by a header',
  severity: 'warning',
  check: (index) => [...pods(index), ...priorities(index)],
};

// Where a header decides the endpoint, a request that no picker saw goes wherever the client says.
function pods(index: ObjectIndex): RuleFinding[] {
  return index.ofKind(EG, 'BackendTrafficPolicy').flatMap((policy) =>
    policy
      .at('spec', 'loadBalancer', 'endpointOverride', 'extractFrom')
      .items.map((source) => source.at('header'))
      .filter((header) => header.text !== undefined && !isRemoved(index, policy, header.text))
      .map((header) =>
        finding(header, 'chooses the pod, and clients may send it: nothing removes their copy', {
          fix: 'remove it in a ClientTrafficPolicy of the Gateway: headers.earlyRequestHeaders.remove',
        }),
      ),
  );
}

function isRemoved(index: ObjectIndex, policy: KubeObject, header: string): boolean {
  const routes = httpRoutes(index).filter((route) => policiesFor(index, EG, 'BackendTrafficPolicy', route).includes(policy));
  const gateways = routes.flatMap((route) => attachments(index, route));
  // The platform team's policies are not in the input when their Gateway is not.
  if (gateways.length === 0 || gateways.some(({ gateway }) => gateway === undefined)) return true;
  return routes.every((route) =>
    policiesFor(index, EG, 'ClientTrafficPolicy', route).some((client) =>
      client
        .at('spec', 'headers', 'earlyRequestHeaders', 'remove')
        .texts.some((name) => name.toLowerCase() === header.toLowerCase()),
    ),
  );
}

// A priority that clients may ask for is no priority. Known only where objectives exist, and the picker is asked without any change.
function priorities(index: ObjectIndex): RuleFinding[] {
  const objectives = ['llm-d.ai', 'inference.networking.x-k8s.io'].flatMap((group) => index.ofKind(group, 'InferenceObjective'));
  return httpRoutes(index).flatMap((route) => {
    const isWhole = attachments(index, route).every(({ gateway }) => gateway !== undefined);
    // Other objects that treat headers: what they do is not understood here.
    if (!isWhole || index.ofKind('networking.istio.io', 'EnvoyFilter').length > 0) return [];
    return rulesOf(route).flatMap((rule) =>
      backendRefs(rule)
        .filter(isPool)
        .flatMap(({ field, name, namespace }): RuleFinding[] => {
          const own = objectives.filter(
            (objective) =>
              objective.namespace === namespace &&
              objective.at('spec', 'poolRef', 'name').text === name &&
              objective.at('spec', 'priority').number !== undefined,
          );
          const modifier = rule
            .at('filters')
            .items.map((filter) => filter.at('requestHeaderModifier'))
            .flatMap((entry) => [
              ...entry.at('remove').texts,
              ...entry.at('set').items.flatMap((header) => header.at('name').text ?? []),
            ]);
          const early = policiesFor(index, EG, 'ClientTrafficPolicy', route).flatMap(
            (client) => client.at('spec', 'headers', 'earlyRequestHeaders', 'remove').texts,
          );
          const treated = [...modifier, ...early].some((header) => PRIORITY_HEADERS.includes(header.toLowerCase()));
          if (own.length === 0 || treated) return [];
          return [
            finding(field.at('name'), 'is a pool with priorities, which every client may ask for by a header', {
              fix: `set or remove ${PRIORITY_HEADERS.join(' and ')} in a RequestHeaderModifier of the rule`,
            }),
          ];
        }),
    );
  });
}
