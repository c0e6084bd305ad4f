import type { ObjectIndex } from '../object-index';
import { finding, named, type Rule, type RuleFinding } from './rule';
import { POLICY_KINDS } from './support/policies';
import { policyTargets } from './support/references';

/** A policy whose target is not where it looks is ignored without a word from the API server. */
export const policyTarget: Rule = {
  code: 'AIG112',
  name: 'policy-target',
  title: 'A policy targets an object of its own namespace, and a section that it has',
  severity: 'error',
  check: (index, profile) =>
    POLICY_KINDS.flatMap(([group, kind]) => index.ofKind(group, kind)).flatMap((policy) =>
      policyTargets(policy).flatMap(({ field, group, kind }): RuleFinding[] => {
        const name = field.at('name').text;
        if (name === undefined) return [];
        const target = index.find(group, kind, policy.namespace, name);
        if (target === undefined) return missing(index, policy.namespace, field, group, kind, name, profile.complete === true);
        const section = field.at('sectionName');
        if (section.text === undefined) return [];
        const sections = target
          .at('spec', kind === 'Gateway' ? 'listeners' : kind === 'Service' ? 'ports' : 'rules')
          .items.flatMap((entry) => entry.at('name').text ?? []);
        if (sections.includes(section.text) || (kind === 'Gateway' && sections.length === 0)) return [];
        return [
          finding(
            section,
            `is no ${kind === 'Gateway' ? 'listener' : kind === 'Service' ? 'port' : 'named rule'} of ${named(kind, target.namespace, name)}`,
            {
              allowed: sections.join(', ') || 'none has a name',
              fix: kind === 'HTTPRoute' ? 'name the rule, or leave sectionName out' : 'take one of these, or leave it out',
            },
          ),
        ];
      }),
    ),
};

function missing(
  index: ObjectIndex,
  namespace: string,
  field: Parameters<typeof finding>[0],
  group: string,
  kind: string,
  name: string,
  isComplete: boolean,
): RuleFinding[] {
  const elsewhere = index.ofKind(group, kind).find((object) => object.name === name && object.namespace !== namespace);
  if (elsewhere !== undefined && namespace !== '' && elsewhere.namespace !== '') {
    return [
      finding(field.at('name'), `targets ${named(kind, namespace, name)}, which is in namespace ${elsewhere.namespace}`, {
        fix: `put the policy into namespace ${elsewhere.namespace}: a policy targets objects of its own namespace only`,
      }),
    ];
  }
  if (!isComplete) return [];
  return [
    finding(field.at('name'), `targets ${named(kind, namespace, name)}, which is not in the input`, { fix: 'correct the name' }),
  ];
}
