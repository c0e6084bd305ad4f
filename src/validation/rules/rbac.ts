import type { Field, KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

const GROUP = 'rbac.authorization.k8s.io';

/** rbac/v1 validation of roles and bindings. */
export const rbac: Rule = {
  code: 'AIG051',
  name: 'rbac',
  title: 'Roles grant something, and bindings name a role and subjects',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...index
      .ofKinds(GROUP, 'Role', 'ClusterRole')
      .flatMap((role) => role.at('rules').items.flatMap((rule) => policyRule(rule, role.kind))),
    ...index.ofKinds(GROUP, 'RoleBinding', 'ClusterRoleBinding').flatMap(binding),
  ],
};

function policyRule(rule: Field, kind: string): RuleFinding[] {
  const findings: RuleFinding[] = [];
  if (rule.at('verbs').items.length === 0 && Array.isArray(rule.at('verbs').value)) {
    findings.push(finding(rule.at('verbs'), 'is empty', { fix: "name verbs, such as 'get', 'list' and 'watch'" }));
  }
  const urls = rule.at('nonResourceURLs');
  if (urls.items.length > 0) {
    if (kind === 'Role') findings.push(finding(urls, 'is not for a Role', { fix: 'put the rule into a ClusterRole' }));
    else if (rule.at('resources').items.length + rule.at('apiGroups').items.length + rule.at('resourceNames').items.length > 0)
      findings.push(finding(urls, 'stands beside resources', { fix: 'make two rules' }));
    return findings;
  }
  for (const key of ['apiGroups', 'resources']) {
    if (rule.at(key).items.length > 0) continue;
    findings.push(
      finding(rule.at(key), 'is missing or empty', {
        fix: key === 'apiGroups' ? 'name the API groups; the core group is ""' : 'name the resources, in plural and lower case',
      }),
    );
  }
  return findings;
}

function binding(object: KubeObject): RuleFinding[] {
  const findings: RuleFinding[] = [];
  const ref = object.at('roleRef');
  const kinds = object.kind === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (ref.isSet) {
    const group = ref.at('apiGroup');
    if (group.text !== undefined && group.text !== GROUP && group.text !== '')
      findings.push(finding(group, 'is not the group of roles', { allowed: GROUP, fix: 'correct it' }));
    const kind = ref.at('kind');
    if (kind.text !== undefined && !kinds.includes(kind.text))
      findings.push(finding(kind, `cannot be bound by a ${object.kind}`, { allowed: kinds.join(', '), fix: 'correct it' }));
  }
  return [...findings, ...object.at('subjects').items.flatMap((entry) => subject(entry, object.kind))];
}

function subject(field: Field, bindingKind: string): RuleFinding[] {
  const kind = field.at('kind');
  const group = field.at('apiGroup');
  const namespace = field.at('namespace');
  if (kind.text === 'ServiceAccount') {
    const findings: RuleFinding[] = [];
    if ((group.text ?? '') !== '')
      findings.push(finding(group, 'is set for a ServiceAccount', { fix: 'remove it', mend: { remove: group.path } }));
    // In a RoleBinding, the binding's own namespace is meant.
    if ((namespace.text ?? '') === '' && bindingKind === 'ClusterRoleBinding')
      findings.push(finding(namespace, 'is missing', { fix: 'name the namespace of the ServiceAccount' }));
    return findings;
  }
  if (kind.text === 'User' || kind.text === 'Group') {
    return (group.text ?? GROUP) === GROUP || group.text === ''
      ? []
      : [finding(group, `is not the group of a ${kind.text}`, { allowed: GROUP, fix: 'correct it' })];
  }
  return kind.text === undefined
    ? []
    : [finding(kind, 'is no kind of subject', { allowed: 'User, Group, ServiceAccount', fix: 'take one of these' })];
}
