import { type KubeObject, type ObjectIndex, selects } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { almostSelected } from './service-target';
import { engines } from './support/engines';
import { poolSelector, pools } from './support/routes';
import { selectedWorkloads } from './support/workloads';

/** The pods of a pool are the engines that the input has. */
export const poolSelectorRule: Rule = {
  code: 'AIG103',
  name: 'pool-selector',
  title: 'A pool selects the pods of its engines',
  severity: 'error',
  check: (index) => pools(index).flatMap((pool) => check(index, pool)),
};

function check(index: ObjectIndex, pool: KubeObject): RuleFinding[] {
  const selector = poolSelector(pool);
  if (selector.labels.size === 0 || selectedWorkloads(index, pool.namespace, selector.labels).length > 0) return [];
  const near = almostSelected(index, pool.namespace, selector.labels);
  if (near !== undefined) {
    return [
      finding(selector, `selects no pods: those of ${near.name} have ${near.key}: ${near.value}`, {
        fix: `select ${near.key}: ${near.value}, or change the label of the pods`,
      }),
    ];
  }
  // Engines of the namespace that no pool wants, beside a pool that gets none: they were meant.
  const unclaimed = engines(index).filter(
    ({ workload }) =>
      workload.object.namespace === pool.namespace &&
      !pools(index).some(
        (other) => other.namespace === pool.namespace && selects(poolSelector(other).labels, workload.podLabels),
      ),
  );
  if (unclaimed.length !== 1) return [];
  const { object, podLabels } = unclaimed[0]!.workload;
  return [
    finding(selector, `selects no pods of the input, and no pool selects those of ${object.kind} ${object.name}`, {
      allowed: [...podLabels].map(([key, value]) => `${key}: ${value}`).join(', '),
      fix: 'select labels of these pods',
    }),
  ];
}
