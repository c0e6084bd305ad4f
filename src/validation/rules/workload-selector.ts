import { type Field, selects } from '../object-index';
import { finding, type Rule } from './rule';

/** apps/v1: a workload has to select its own pods (ValidatePodTemplateSpecForReplicaSet and the like). */
export const workloadSelector: Rule = {
  code: 'AIG040',
  name: 'workload-selector',
  title: 'A workload selects its own pods',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    index.ofKinds('apps', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet').flatMap((workload) => {
      const selector = workload.at('spec', 'selector');
      const labels = workload.at('spec', 'template', 'metadata', 'labels');
      if (!selector.isSet || !workload.at('spec', 'template').isSet) return [];
      const wanted = selector.at('matchLabels');
      const expressions = selector.at('matchExpressions').items;
      if (wanted.labels.size === 0 && expressions.length === 0) {
        return [
          finding(selector, 'is empty', {
            fix: 'select by a label of the pod template: an empty selector is refused',
            allowed: 'at least one label',
          }),
        ];
      }
      const missing = [...wanted.labels].filter(([key, value]) => labels.labels.get(key) !== value);
      const broken = missing.map(([key, value]) =>
        finding(wanted.at(key), 'is not a label of the pods that the workload makes', {
          allowed:
            [...labels.labels].map(([label, text]) => `${label}: ${text}`).join(', ') ||
            'a label in spec.template.metadata.labels',
          fix: `add ${key}: ${value} to spec.template.metadata.labels, or select another label`,
        }),
      );
      return [
        ...broken,
        ...expressions.flatMap((expression) =>
          holds(expression, labels.labels)
            ? []
            : [finding(expression, 'does not hold for the labels of the pod template', { fix: 'make the labels fit it' })],
        ),
      ];
    }),
};

function holds(expression: Field, labels: ReadonlyMap<string, string>): boolean {
  const key = expression.at('key').text;
  const values = expression.at('values').texts;
  if (key === undefined) return true;
  const value = labels.get(key);
  switch (expression.at('operator').text) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return true;
  }
}

/** Used by rules about selectors of other kinds. */
export function selectsPods(selector: Field, labels: ReadonlyMap<string, string>): boolean {
  const wanted = selector.at('matchLabels').labels;
  const expressions = selector.at('matchExpressions').items;
  if (wanted.size === 0 && expressions.length === 0) return true;
  return (wanted.size === 0 || selects(wanted, labels)) && expressions.every((expression) => holds(expression, labels));
}
