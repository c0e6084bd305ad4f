import type { KubeObject, ObjectIndex } from '../object-index';
import { named, type Rule, type RuleFinding } from './rule';
import { type Picker, pickers } from './support/pickers';

const RBAC = 'rbac.authorization.k8s.io';
const VERBS = ['get', 'list', 'watch'];

/** A picker watches its pool and the pods of it: without leave it crashes, or never becomes ready. */
export const pickerAccess: Rule = {
  code: 'AIG109',
  name: 'picker-access',
  title: 'The picker may read its pool and the pods',
  severity: 'error',
  check: (index) => pickers(index).flatMap((picker) => check(index, picker)),
};

function check(index: ObjectIndex, { workload, container, flags, pool }: Picker): RuleFinding[] {
  if (workload === undefined || container === undefined || flags.has('endpoint-selector')) return [];
  const account = workload.podSpec.at('serviceAccountName').text ?? 'default';
  const namespace = workload.object.namespace;
  const bindings = index
    .ofKinds(RBAC, 'RoleBinding', 'ClusterRoleBinding')
    .filter((binding) =>
      binding
        .at('subjects')
        .items.some(
          (subject) =>
            subject.at('kind').text === 'ServiceAccount' &&
            subject.at('name').text === account &&
            (subject.at('namespace').text ?? binding.namespace) === namespace,
        ),
    );
  const roles = bindings.flatMap((binding) => roleOf(index, binding) ?? []);
  // A role that is not in the input may grant all of it.
  if (roles.length < bindings.length) return [];
  const hasAccount = index.find('', 'ServiceAccount', namespace, account) !== undefined;
  if (bindings.length === 0 && !hasAccount && account !== 'default') return [];
  const needs: readonly (readonly [string, string])[] = [
    ['', 'pods'],
    [pool.group, 'inferencepools'],
  ];
  const missing = needs.filter(([group, resource]) => !roles.some((role) => grants(role, group, resource, pool.name)));
  if (missing.length === 0) return [];
  const list = missing.map(([group, resource]) => (group === '' ? resource : `${resource}.${group}`)).join(' and ');
  return [
    {
      field: workload.podSpec.at('serviceAccountName'),
      what: `${named('ServiceAccount', namespace, account)} of the picker may not ${VERBS.join(', ')} ${list}`,
      fix: 'bind a Role that allows it to this ServiceAccount',
    },
  ];
}

function roleOf(index: ObjectIndex, binding: KubeObject): KubeObject | undefined {
  const kind = binding.at('roleRef', 'kind').text ?? '';
  const name = binding.at('roleRef', 'name').text ?? '';
  return index.find(RBAC, kind, kind === 'ClusterRole' ? '' : binding.namespace, name);
}

function grants(role: KubeObject, group: string, resource: string, name: string): boolean {
  const verbs = new Set(
    role.at('rules').items.flatMap((rule) => {
      const has = (key: string, value: string): boolean => rule.at(key).texts.some((text) => text === value || text === '*');
      const names = rule.at('resourceNames').texts;
      const applies = has('apiGroups', group) && has('resources', resource) && (names.length === 0 || names.includes(name));
      return applies ? rule.at('verbs').texts : [];
    }),
  );
  return verbs.has('*') || VERBS.every((verb) => verbs.has(verb));
}
