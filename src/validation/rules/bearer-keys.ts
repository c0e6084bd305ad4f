import { finding, type Rule } from './rule';

/** Envoy Gateway compares the key after it has taken `Bearer ` off: a Secret that has it as well matches nothing. */
export const bearerKeys: Rule = {
  code: 'AIG305',
  name: 'bearer-keys',
  title: 'Secrets with API keys hold the bare keys',
  severity: 'error',
  check: (index) =>
    index.ofKind('gateway.envoyproxy.io', 'SecurityPolicy').flatMap((policy) =>
      policy
        .at('spec', 'apiKeyAuth', 'credentialRefs')
        .items.flatMap(
          (ref) => index.find('', 'Secret', ref.at('namespace').text ?? policy.namespace, ref.at('name').text ?? '') ?? [],
        )
        .flatMap((secret) => [
          ...secret.at('stringData').entries.map(([, field]) => ({ field, text: field.text ?? '' })),
          ...secret
            .at('data')
            .entries.map(([, field]) => ({ field, text: Buffer.from(field.text ?? '', 'base64').toString('utf8') })),
        ])
        .filter(({ text }) => /^bearer\s/i.test(text))
        .map(({ field }) => {
          const { value: _, ...rest } = finding(field, 'begins with "Bearer ", which clients send and the gateway takes off', {
            fix: 'store the key alone',
          });
          return rest;
        }),
    ),
};
