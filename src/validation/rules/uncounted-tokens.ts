import { countsTokens } from './request-limits';
import { finding, type Rule } from './rule';
import { httpRoutes, policiesFor } from './support/routes';

const EG = 'gateway.envoyproxy.io';
// Written by the AI gateway's own processor.
const OTHERS = 'io.envoy.ai_gateway';

/** A picker may write metadata only into namespaces that the policy names; without, the counter stays at 0 and nothing says so. */
export const uncountedTokens: Rule = {
  code: 'AIG304',
  name: 'uncounted-tokens',
  title: 'The picker may write the token counts that a limit reads',
  severity: 'error',
  check: (index) =>
    index.ofKind(EG, 'BackendTrafficPolicy').flatMap((policy) =>
      policy
        .at('spec', 'rateLimit', 'global', 'rules')
        .items.filter(countsTokens)
        .flatMap((rule) => {
          const namespace = rule.at('cost', 'response', 'metadata', 'namespace');
          if (namespace.text === undefined || namespace.text === OTHERS) return [];
          const routes = httpRoutes(index).filter((route) =>
            policiesFor(index, EG, 'BackendTrafficPolicy', route).includes(policy),
          );
          const extensions = routes.flatMap((route) => policiesFor(index, EG, 'EnvoyExtensionPolicy', route));
          const processors = extensions.flatMap((extension) => extension.at('spec', 'extProc').items);
          // Without a processor in the input, another filter may be the one that counts.
          if (processors.length === 0) return [];
          if (processors.some((extProc) => extProc.at('metadata', 'writableNamespaces').texts.includes(namespace.text!)))
            return [];
          return [
            finding(namespace, 'is written by nobody: the processors of the route may not write this namespace', {
              fix: `add ${namespace.text} to metadata.writableNamespaces of the EnvoyExtensionPolicy`,
            }),
          ];
        }),
    ),
};
