import type { ObjectIndex } from '../object-index';
import { finding, type Rule } from './rule';
import { engines } from './support/engines';
import { pickers } from './support/pickers';
import type { Workload } from './support/workloads';
import { selectsPods } from './workload-selector';

/** Without a budget, draining nodes may stop all replicas at once, and an engine takes minutes to come back. */
export const missingBudget: Rule = {
  code: 'AIG207',
  name: 'missing-budget',
  title: 'Engines and pickers with several replicas have a disruption budget',
  severity: 'hint',
  check: (index) => {
    const serving = new Set<Workload>(engines(index).map(({ workload }) => workload));
    for (const { workload } of pickers(index)) if (workload !== undefined) serving.add(workload);
    return [...serving]
      .filter(({ object, replicas }) => object.is('apps', 'Deployment', 'StatefulSet') && (replicas ?? 0) >= 2)
      .filter((workload) => !hasBudget(index, workload))
      .map(({ object }) =>
        finding(object.at('spec', 'replicas'), 'are several, and no PodDisruptionBudget keeps some of them running', {
          fix: 'add a PodDisruptionBudget with maxUnavailable: 1 for these pods',
        }),
      );
  },
};

function hasBudget(index: ObjectIndex, { object, podLabels }: Workload): boolean {
  return index
    .ofKind('policy', 'PodDisruptionBudget')
    .some((budget) => budget.namespace === object.namespace && selectsPods(budget.at('spec', 'selector'), podLabels));
}
