import { isLabelValue, isQualifiedName, LABEL_KEY_FORM, LABEL_VALUE_FORM } from '../names';
import type { Field, KubeObject } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { builtInWorkloads } from './support/workloads';

/** apimachinery ValidateLabels and ValidateLabelSelector, wherever built-in kinds have labels beyond their own metadata. */
export const labelSelectors: Rule = {
  code: 'AIG048',
  name: 'label-selectors',
  title: 'Labels and selectors inside an object are well-formed',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...builtInWorkloads(index).flatMap(({ object, template, podSpec }) => [
      ...(template.path.length === 0 ? [] : labels(template.at('metadata', 'labels'))),
      ...labels(podSpec.at('nodeSelector')),
      ...podSpec
        .at('topologySpreadConstraints')
        .items.flatMap((constraint) => [...selector(constraint.at('labelSelector')), ...spread(constraint)]),
      ...(object.group === 'apps' || object.group === 'batch' ? selector(object.at('spec', 'selector')) : []),
    ]),
    ...index.ofKind('', 'Service').flatMap((service: KubeObject) => labels(service.at('spec', 'selector'))),
    ...index.ofKind('policy', 'PodDisruptionBudget').flatMap((budget) => selector(budget.at('spec', 'selector'))),
    ...index
      .ofKind('networking.k8s.io', 'NetworkPolicy')
      .flatMap((policy) => [
        ...selector(policy.at('spec', 'podSelector')),
        ...[...policy.at('spec', 'ingress').items, ...policy.at('spec', 'egress').items].flatMap((rule) =>
          [...rule.at('from').items, ...rule.at('to').items].flatMap((peer) => [
            ...selector(peer.at('podSelector')),
            ...selector(peer.at('namespaceSelector')),
          ]),
        ),
      ]),
  ],
};

function labels(field: Field): RuleFinding[] {
  return field.entries.flatMap(([key, value]) => {
    const findings: RuleFinding[] = [];
    if (!isQualifiedName(key)) {
      findings.push(finding(value, 'has a key that is no label key', { allowed: LABEL_KEY_FORM, fix: 'choose another key' }));
    }
    if (value.text !== undefined && !isLabelValue(value.text)) {
      findings.push(finding(value, 'is not a label value', { allowed: LABEL_VALUE_FORM, fix: 'choose another value' }));
    }
    return findings;
  });
}

function selector(field: Field): RuleFinding[] {
  return [...labels(field.at('matchLabels')), ...field.at('matchExpressions').items.flatMap(expression)];
}

function expression(field: Field): RuleFinding[] {
  const operator = field.at('operator');
  const values = field.at('values');
  const findings: RuleFinding[] = [];
  const key = field.at('key');
  if (key.text !== undefined && !isQualifiedName(key.text)) {
    findings.push(finding(key, 'is no label key', { allowed: LABEL_KEY_FORM, fix: 'choose another key' }));
  }
  if (operator.text === 'In' || operator.text === 'NotIn') {
    if (values.items.length === 0) {
      findings.push(finding(values, `is empty, and ${operator.text} compares with values`, { fix: 'add a value' }));
    }
    for (const value of values.items)
      if (value.text !== undefined && !isLabelValue(value.text))
        findings.push(finding(value, 'is not a label value', { allowed: LABEL_VALUE_FORM, fix: 'choose another value' }));
  } else if (operator.text === 'Exists' || operator.text === 'DoesNotExist') {
    if (values.items.length > 0) {
      findings.push(finding(values, `is not for ${operator.text}`, { fix: 'remove it', mend: { remove: values.path } }));
    }
  } else if (operator.text !== undefined) {
    findings.push(finding(operator, 'is no operator', { allowed: 'In, NotIn, Exists, DoesNotExist', fix: 'take one of these' }));
  }
  return findings;
}

function spread(constraint: Field): RuleFinding[] {
  const skew = constraint.at('maxSkew');
  const unsatisfiable = constraint.at('whenUnsatisfiable');
  const findings: RuleFinding[] = [];
  if (skew.number !== undefined && skew.number < 1) findings.push(finding(skew, 'is less than 1', { fix: 'take 1 or more' }));
  if (unsatisfiable.text !== undefined && !['DoNotSchedule', 'ScheduleAnyway'].includes(unsatisfiable.text)) {
    findings.push(
      finding(unsatisfiable, 'is no such choice', { allowed: 'DoNotSchedule, ScheduleAnyway', fix: 'take one of these' }),
    );
  }
  return findings;
}
