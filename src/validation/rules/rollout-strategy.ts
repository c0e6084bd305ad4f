import type { Field, KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

/** apps/v1 ValidateDeploymentSpec and its siblings. */
export const rolloutStrategy: Rule = {
  code: 'AIG057',
  name: 'rollout-strategy',
  title: 'Replicas and rollout of a workload can work',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...index.ofKinds('apps', 'Deployment', 'StatefulSet', 'ReplicaSet').flatMap(numbers),
    ...index.ofKind('apps', 'Deployment').flatMap(deployment),
  ],
};

function numbers(object: KubeObject): RuleFinding[] {
  return ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'].flatMap((key) => {
    const field = object.at('spec', key);
    return field.number !== undefined && field.number < 0 ? [finding(field, 'is negative', { fix: 'take 0 or more' })] : [];
  });
}

function deployment(object: KubeObject): RuleFinding[] {
  const strategy = object.at('spec', 'strategy');
  const type = strategy.at('type');
  const rolling = strategy.at('rollingUpdate');
  const findings: RuleFinding[] = [];
  if (type.text !== undefined && type.text !== '' && !['RollingUpdate', 'Recreate'].includes(type.text)) {
    findings.push(finding(type, 'is no strategy', { allowed: 'RollingUpdate, Recreate', fix: 'take one of these' }));
  }
  if (type.text === 'Recreate' && rolling.isSet)
    findings.push(finding(rolling, 'is not for Recreate', { fix: 'remove it', mend: { remove: rolling.path } }));
  const surge = amount(rolling.at('maxSurge'));
  const unavailable = amount(rolling.at('maxUnavailable'));
  if (surge === 0 && unavailable === 0 && type.text !== 'Recreate') {
    findings.push(
      finding(rolling, 'allows neither a pod more nor a pod less, so that nothing can be replaced', {
        fix: 'set maxSurge or maxUnavailable to 1',
      }),
    );
  }
  const ready = object.at('spec', 'minReadySeconds').number ?? 0;
  const deadline = object.at('spec', 'progressDeadlineSeconds');
  if ((deadline.number ?? 600) <= ready && ready > 0)
    findings.push(finding(deadline, `is not more than minReadySeconds (${ready})`, { fix: 'raise it' }));
  return findings;
}

function amount(field: Field): number | undefined {
  if (field.number !== undefined) return field.number;
  return field.text !== undefined && /^\d+%$/.test(field.text) ? Number.parseInt(field.text, 10) : undefined;
}
