import type { KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

/** core/v1 ValidateService. */
export const serviceSpec: Rule = {
  code: 'AIG049',
  name: 'service-spec',
  title: 'The fields of a Service go with its type',
  severity: 'error',
  isAdmission: true,
  check: (index) => index.ofKind('', 'Service').flatMap(check),
};

function check(service: KubeObject): RuleFinding[] {
  const spec = service.at('spec');
  if (!spec.isSet) return [finding(spec, 'is missing', { fix: 'give the Service ports and a selector' })];
  // Empty text is read as the default.
  const type = spec.at('type').text || 'ClusterIP';
  const findings: RuleFinding[] = [];
  if (!TYPES.includes(type)) {
    return [finding(spec.at('type'), 'is no type of a Service', { allowed: TYPES.join(', '), fix: 'take one of these' })];
  }
  const isHeadless = spec.at('clusterIP').text === 'None';
  if (type === 'ExternalName') {
    if ((spec.at('externalName').text ?? '') === '')
      findings.push(finding(spec.at('externalName'), 'is missing', { fix: 'name the host that the Service stands for' }));
    if ((spec.at('clusterIP').text ?? '') !== '')
      findings.push(finding(spec.at('clusterIP'), 'is not for ExternalName', { fix: 'remove it' }));
  } else if (spec.at('ports').items.length === 0 && !isHeadless) {
    findings.push(finding(spec.at('ports'), 'is empty', { fix: 'add a port: only headless Services do without' }));
  }
  if (isHeadless && (type === 'NodePort' || type === 'LoadBalancer')) {
    findings.push(finding(spec.at('clusterIP'), `is not for ${type}`, { fix: 'remove it, or make the type ClusterIP' }));
  }
  const affinity = spec.at('sessionAffinity');
  if ((affinity.text ?? '') !== '' && !['None', 'ClientIP'].includes(affinity.text!)) {
    findings.push(finding(affinity, 'is no such choice', { allowed: 'None, ClientIP', fix: 'take one of these' }));
  }
  if (type === 'ClusterIP') {
    for (const port of spec.at('ports').items) {
      if ((port.at('nodePort').number ?? 0) !== 0)
        findings.push(finding(port.at('nodePort'), 'is not for ClusterIP', { fix: 'remove it, or make the type NodePort' }));
    }
  }
  return findings;
}
