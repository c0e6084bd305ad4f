import { finding, type Rule, type RuleFinding } from './rule';
import { policyTargets } from './support/references';

const EG = 'gateway.envoyproxy.io';
const KINDS = ['BackendTrafficPolicy', 'SecurityPolicy', 'EnvoyExtensionPolicy', 'ClientTrafficPolicy'];

/** A policy for a section of a target takes the place of the target's own: nothing is merged, so that limits of the whole do not hold there. */
export const sectionPolicy: Rule = {
  code: 'AIG142',
  name: 'section-policy',
  title: 'A policy for one section of a target says all that holds there',
  severity: 'hint',
  check: (index) =>
    KINDS.flatMap((kind) => {
      const targets = index
        .ofKind(EG, kind)
        .flatMap((policy) => policyTargets(policy).map((target) => ({ ...target, policy, name: target.field.at('name').text })));
      return targets.flatMap(({ field, policy, name, kind: target }): RuleFinding[] => {
        if (!field.at('sectionName').isSet || policy.at('spec', 'mergeType').isSet) return [];
        const whole = targets.find(
          (other) =>
            other.name === name &&
            other.kind === target &&
            other.policy.namespace === policy.namespace &&
            !other.field.at('sectionName').isSet,
        );
        if (whole === undefined) return [];
        return [
          finding(field.at('sectionName'), `takes the place of ${kind} ${whole.policy.name} there: the two are not merged`, {
            fix: 'repeat what should hold there as well, or fold both into one',
          }),
        ];
      });
    }),
};
