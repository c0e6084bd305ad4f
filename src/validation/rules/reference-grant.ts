import type { ObjectIndex } from '../object-index';
import { finding, named, type Rule } from './rule';
import { type Reference, references } from './support/references';
import { GATEWAY_API } from './support/routes';

/** Gateway API: a reference into another namespace needs that namespace's consent. */
export const referenceGrant: Rule = {
  code: 'AIG107',
  name: 'reference-grant',
  title: 'A reference into another namespace is granted there',
  severity: 'error',
  check: (index, profile) =>
    references(index).flatMap((reference) => {
      const { from, namespace, name, kind, group, field, needsGrant } = reference;
      if (!needsGrant || namespace === from.namespace || from.namespace === '' || namespace === '') return [];
      if (isGranted(index, reference)) return [];
      // Who writes the target also writes the grant: without the target in the input, the grant may be elsewhere, too.
      if (profile.complete !== true && index.find(group, kind, namespace, name) === undefined) return [];
      return [
        finding(field, `names ${named(kind, namespace, name)} from namespace ${from.namespace}, which no ReferenceGrant allows`, {
          fix: `add a ReferenceGrant to namespace ${namespace}: from ${from.group} ${from.kind} in ${from.namespace}, to ${group === '' ? '' : `${group} `}${kind} ${name}`,
        }),
      ];
    }),
};

function isGranted(index: ObjectIndex, { from, namespace, name, kind, group }: Reference): boolean {
  return index
    .ofKind(GATEWAY_API, 'ReferenceGrant')
    .some(
      (grant) =>
        grant.namespace === namespace &&
        grant
          .at('spec', 'from')
          .items.some(
            (entry) =>
              entry.at('group').text === from.group &&
              entry.at('kind').text === from.kind &&
              entry.at('namespace').text === from.namespace,
          ) &&
        grant
          .at('spec', 'to')
          .items.some(
            (entry) =>
              (entry.at('group').text ?? '') === group &&
              entry.at('kind').text === kind &&
              (entry.at('name').text === undefined || entry.at('name').text === name),
          ),
    );
}
