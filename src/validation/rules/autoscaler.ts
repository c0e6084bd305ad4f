import type { KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

const SOURCES: ReadonlyMap<string, string> = new Map([
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
  ['Pods', 'pods'],
  ['Object', 'object'],
  ['External', 'external'],
]);

/** autoscaling/v2 validation. */
export const autoscaler: Rule = {
  code: 'AIG053',
  name: 'autoscaler',
  title: 'An autoscaler has a range and metrics that say what they measure',
  severity: 'error',
  isAdmission: true,
  check: (index) => index.ofKind('autoscaling', 'HorizontalPodAutoscaler').flatMap(check),
};

function check(object: KubeObject): RuleFinding[] {
  const minimum = object.at('spec', 'minReplicas');
  const maximum = object.at('spec', 'maxReplicas');
  const findings: RuleFinding[] = [];
  if (maximum.number !== undefined && maximum.number < 1)
    findings.push(finding(maximum, 'is less than 1', { fix: 'take 1 or more' }));
  if (minimum.number !== undefined && minimum.number < 0)
    findings.push(finding(minimum, 'is negative', { fix: 'take 1 or more' }));
  if (minimum.number !== undefined && maximum.number !== undefined && minimum.number > maximum.number)
    findings.push(finding(minimum, `is more than maxReplicas (${maximum.number})`, { fix: 'lower it, or raise maxReplicas' }));
  for (const metric of object.at('spec', 'metrics').items) {
    const type = metric.at('type');
    const source = SOURCES.get(type.text ?? '');
    if (type.text !== undefined && source === undefined) {
      findings.push(
        finding(type, 'is no type of a metric', { allowed: [...SOURCES.keys()].join(', '), fix: 'take one of these' }),
      );
    } else if (source !== undefined && !metric.at(source).isSet) {
      findings.push(finding(metric.at(source), `is missing for type ${type.text}`, { fix: 'add it, or correct the type' }));
    }
  }
  return findings;
}
