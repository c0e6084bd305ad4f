import { isIP } from 'node:net';
import type { Field, KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

/** networking/v1 ValidateNetworkPolicySpec. */
export const networkPolicy: Rule = {
  code: 'AIG054',
  name: 'network-policy',
  title: 'Peers and ports of a NetworkPolicy are well-formed',
  severity: 'error',
  isAdmission: true,
  check: (index) => index.ofKind('networking.k8s.io', 'NetworkPolicy').flatMap(check),
};

function check(policy: KubeObject): RuleFinding[] {
  const rules = [...policy.at('spec', 'ingress').items, ...policy.at('spec', 'egress').items];
  return [
    ...policy
      .at('spec', 'policyTypes')
      .items.flatMap((type) =>
        type.text === undefined || ['Ingress', 'Egress'].includes(type.text)
          ? []
          : [finding(type, 'is no type of policy', { allowed: 'Ingress, Egress', fix: 'take one of these' })],
      ),
    ...rules.flatMap((rule) => [
      ...rule.at('ports').items.flatMap(port),
      ...[...rule.at('from').items, ...rule.at('to').items].flatMap(peer),
    ]),
  ];
}

function port(field: Field): RuleFinding[] {
  const from = field.at('port');
  const to = field.at('endPort');
  const findings: RuleFinding[] = [];
  if (from.number !== undefined && (from.number < 1 || from.number > 65_535))
    findings.push(finding(from, 'is no port', { allowed: '1 to 65535', fix: 'correct it' }));
  if (to.number === undefined) return findings;
  if (from.number === undefined) findings.push(finding(to, 'needs a port given as a number', { fix: 'give port as a number' }));
  else if (to.number < from.number || to.number > 65_535)
    findings.push(finding(to, `is not between port and 65535`, { allowed: `${from.number} to 65535`, fix: 'correct it' }));
  return findings;
}

function peer(field: Field): RuleFinding[] {
  const kinds = ['podSelector', 'namespaceSelector', 'ipBlock'].filter((key) => field.at(key).isSet);
  if (kinds.length === 0) return [finding(field, 'names no peer', { fix: 'add a selector or an ipBlock' })];
  const block = field.at('ipBlock');
  if (!block.isSet) return [];
  if (kinds.length > 1) return [finding(block, 'stands beside a selector', { fix: 'make two peers' })];
  const cidr = block.at('cidr');
  if (cidr.text === undefined) return [];
  if (!isCidr(cidr.text)) return [finding(cidr, 'is no CIDR', { allowed: '10.0.0.0/8, fd00::/8, …', fix: 'correct it' })];
  return block
    .at('except')
    .items.flatMap((except) =>
      except.text === undefined || isCidr(except.text)
        ? []
        : [finding(except, 'is no CIDR', { allowed: 'a range inside the cidr', fix: 'correct it' })],
    );
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const version = isIP(address);
  return rest.length === 0 && version !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}
