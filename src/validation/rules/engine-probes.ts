import type { Rule, RuleFinding } from './rule';
import { type Engine, engines } from './support/engines';
import { poolSelector, pools } from './support/routes';
import { selectedWorkloads } from './support/workloads';

/** Until it has loaded its weights, an engine refuses connections; without a probe it gets requests all the same. */
export const engineProbes: Rule = {
  code: 'AIG201',
  name: 'engine-probes',
  title: 'An engine has a readiness probe that asks for its health',
  severity: 'warning',
  check: (index) => {
    const inPools = new Set(pools(index).flatMap((pool) => selectedWorkloads(index, pool.namespace, poolSelector(pool).labels)));
    return engines(index).flatMap((engine) => check(engine, inPools.has(engine.workload)));
  },
};

function check({ container, workload }: Engine, isInPool: boolean): RuleFinding[] {
  const readiness = container.at('readinessProbe');
  if (workload.object.kind === 'Job' || workload.object.kind === 'CronJob') return [];
  // Only the leader of a group answers requests.
  if (workload.object.kind === 'LeaderWorkerSet' && workload.template.path.includes('workerTemplate')) return [];
  if (!readiness.isSet) {
    return [
      {
        field: readiness,
        what: `${workload.object.kind} ${workload.object.name} has no readinessProbe: requests reach it while it loads the model`,
        fix: 'add readinessProbe with httpGet /health on the port of the engine',
        severity: isInPool ? 'warning' : 'hint',
      },
    ];
  }
  return [];
}
