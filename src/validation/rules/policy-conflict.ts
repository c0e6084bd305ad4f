import type { Field } from '../object-index';
import { finding, named, type Rule, type RuleFinding } from './rule';
import { POLICY_KINDS } from './support/policies';
import { policyTargets } from './support/references';

// Kinds of which several on one target are merged by their implementation.
const MERGED = new Set([
  'EnvoyPatchPolicy',
  'QuotaPolicy',
  'ClientSettingsPolicy',
  'ProxySettingsPolicy',
  'UpstreamSettingsPolicy',
]);

/** Of two policies of a kind on one target the oldest wins, and the other is `Conflicted`. */
export const policyConflict: Rule = {
  code: 'AIG113',
  name: 'policy-conflict',
  title: 'A target has one policy of a kind',
  severity: 'error',
  check: (index) =>
    POLICY_KINDS.filter(([, kind]) => !MERGED.has(kind)).flatMap(([group, kind]) => {
      const seen = new Map<string, Field>();
      return index.ofKind(group, kind).flatMap((policy) =>
        policyTargets(policy).flatMap(({ field, kind: target, group: targetGroup }): RuleFinding[] => {
          const section = field.at('sectionName').text ?? '';
          const key = `${targetGroup}/${target} ${policy.namespace}/${field.at('name').text} ${section}`;
          const first = seen.get(key);
          if (first === undefined) {
            seen.set(key, field);
            return [];
          }
          if (first.object === policy) return [];
          const place = named(target, policy.namespace, field.at('name').text ?? '');
          return [
            finding(
              field,
              `targets ${place}${section === '' ? '' : `, section ${section}`}, as ${kind} ${first.object.name} does`,
              {
                fix: `fold both into one ${kind}: only the oldest takes effect`,
              },
            ),
          ];
        }),
      );
    }),
};
