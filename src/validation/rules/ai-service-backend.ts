import { finding, type Rule } from './rule';

/** An AIServiceBackend wraps a Backend of Envoy Gateway; a Service would bypass the gateway's treatment of providers. */
export const aiServiceBackend: Rule = {
  code: 'AIG162',
  name: 'ai-service-backend',
  title: 'An AIServiceBackend points to a Backend',
  severity: 'error',
  check: (index) =>
    index.ofKind('aigateway.envoyproxy.io', 'AIServiceBackend').flatMap((backend) => {
      const ref = backend.at('spec', 'backendRef');
      const kind = ref.at('kind').text ?? 'Service';
      if (!ref.isSet || (kind === 'Backend' && ref.at('group').text === 'gateway.envoyproxy.io')) return [];
      return [
        finding(ref, `points to a ${kind}, and only a Backend is supported`, {
          allowed: 'group: gateway.envoyproxy.io, kind: Backend',
          fix: 'make a Backend with the address, and refer to it',
        }),
      ];
    }),
};
