import { finding, type Rule } from './rule';

/** policy/v1 ValidatePodDisruptionBudgetSpec. */
export const disruptionBudget: Rule = {
  code: 'AIG052',
  name: 'disruption-budget',
  title: 'A disruption budget says minAvailable or maxUnavailable',
  severity: 'error',
  isAdmission: true,
  check: (index) =>
    index.ofKind('policy', 'PodDisruptionBudget').flatMap((budget) => {
      const minimum = budget.at('spec', 'minAvailable');
      const maximum = budget.at('spec', 'maxUnavailable');
      const policy = budget.at('spec', 'unhealthyPodEvictionPolicy');
      return [
        ...(minimum.isSet && maximum.isSet
          ? [finding(minimum, 'stands beside maxUnavailable', { fix: 'keep one of the two' })]
          : []),
        ...[minimum, maximum].flatMap((field) => {
          if (!field.isSet || (field.number !== undefined && field.number >= 0)) return [];
          const percent = /^([0-9]+)%$/.exec(field.text ?? '')?.[1];
          if (percent !== undefined && Number(percent) <= 100) return [];
          if (field.text === undefined && field.number === undefined) return [];
          return [
            finding(field, 'is neither a number nor a percentage', { allowed: '0 or more, or 0% to 100%', fix: 'correct it' }),
          ];
        }),
        ...(policy.text === undefined || ['IfHealthyBudget', 'AlwaysAllow'].includes(policy.text)
          ? []
          : [finding(policy, 'is no such choice', { allowed: 'IfHealthyBudget, AlwaysAllow', fix: 'take one of these' })]),
      ];
    }),
};
