import type { KubeObject, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { isModelRule } from './support/engines';
import { httpRoutes, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** `requestBuffer` reads bodies whole, and refuses long prompts with 413. */
export const bufferedModels: Rule = {
  code: 'AIG143',
  name: 'buffered-models',
  title: 'Requests to models are not buffered by a policy',
  severity: 'warning',
  check: (index) =>
    onModelRules(index, 'BackendTrafficPolicy', (policy) => {
      const buffer = policy.at('spec', 'requestBuffer');
      return buffer.isSet
        ? [
            finding(buffer, 'buffers whole requests before models see them, and refuses prompts beyond its limit', {
              fix: 'remove it',
            }),
          ]
        : [];
    }),
};

/** Rules of a policy that touch routes to models, each policy once. */
function onModelRules(index: ObjectIndex, kind: string, check: (policy: KubeObject) => RuleFinding[]): RuleFinding[] {
  const policies = httpRoutes(index).flatMap((route) =>
    rulesOf(route)
      .filter((rule) => isModelRule(index, rule))
      .flatMap((rule) => policiesFor(index, EG, kind, route, rule)),
  );
  return [...new Set(policies)].flatMap(check);
}
