import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { allContainers, builtInWorkloads } from './support/workloads';

const POLICIES: Readonly<Record<string, readonly string[]>> = {
  imagePullPolicy: ['Always', 'IfNotPresent', 'Never'],
  terminationMessagePolicy: ['File', 'FallbackToLogsOnError'],
};

/** core/v1 validateContainers, and the restart policy that each kind of workload takes. */
export const containers: Rule = {
  code: 'AIG047',
  name: 'containers',
  title: 'A pod has containers with images, and a restart policy that its kind takes',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    builtInWorkloads(index).flatMap(({ object, podSpec }) => {
      if (!podSpec.isSet) return [];
      const findings = allContainers(podSpec).flatMap((container) => checkContainer(container, object.kind !== 'Pod'));
      const list = podSpec.at('containers');
      if (Array.isArray(list.value) && list.items.length === 0) {
        findings.push(finding(list, 'is empty', { fix: 'add a container' }));
      }
      const restart = podSpec.at('restartPolicy');
      const allowed = restartPolicies(object.kind);
      if (restart.text !== undefined && !allowed.includes(restart.text)) {
        findings.push(finding(restart, `is not for a ${object.kind}`, { allowed: allowed.join(', '), fix: 'take one of these' }));
      } else if (restart.text === undefined && !allowed.includes('Always')) {
        findings.push(
          finding(restart, 'is missing, and its default Always is not for a Job', {
            allowed: allowed.join(', '),
            fix: 'set it',
          }),
        );
      }
      const grace = podSpec.at('terminationGracePeriodSeconds');
      if (grace.number !== undefined && grace.number < 0) findings.push(finding(grace, 'is negative', { fix: 'take 0 or more' }));
      return findings;
    }),
};

function restartPolicies(kind: string): readonly string[] {
  if (kind === 'Pod') return ['Always', 'OnFailure', 'Never'];
  return kind === 'Job' || kind === 'CronJob' ? ['OnFailure', 'Never'] : ['Always'];
}

function checkContainer(container: Field, needsImage: boolean): RuleFinding[] {
  const findings: RuleFinding[] = [];
  const image = container.at('image');
  if (needsImage ? !image.isSet || image.text === '' : image.text === '' || !image.isSet) {
    findings.push(finding(image, 'is missing', { fix: 'name the image of the container' }));
  } else if (image.text !== undefined && image.text !== image.text.trim()) {
    findings.push(finding(image, 'begins or ends with a space', { fix: 'remove the space' }));
  }
  for (const [key, allowed] of Object.entries(POLICIES)) {
    const field = container.at(key);
    if (field.text !== undefined && field.text !== '' && !allowed.includes(field.text)) {
      findings.push(finding(field, 'is no such policy', { allowed: allowed.join(', '), fix: 'take one of these' }));
    }
  }
  const security = container.at('securityContext');
  if (security.at('allowPrivilegeEscalation').value === false && security.at('privileged').value === true) {
    findings.push(
      finding(security.at('allowPrivilegeEscalation'), 'is false in a privileged container', {
        fix: 'remove privileged, or allow escalation',
      }),
    );
  }
  return findings;
}
