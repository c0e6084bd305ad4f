import { formatProblem, type Problem } from '../../shared/problem';
import { formatFinding } from '../../validation';
import type { KubeObject } from './plan/kube-objects';
import { type Plan, type PlanOptions, planOf } from './plan/plan';
import { readSources } from './sources';

export interface LoadedPlan {
  readonly plan: Plan;
  readonly objects: readonly KubeObject[];
}

/**
 * Reads, checks and plans apps and manifests, or returns every reason why they cannot be run.
 * @param say gets what is wrong with the manifests and what their plan leaves out, line by line
 */
export function loadPlan(
  sources: readonly string[],
  options: PlanOptions,
  say: (text: string) => void,
): LoadedPlan | readonly Problem[] {
  const { objects, findings, problems } = readSources(sources);
  for (const finding of findings) say(formatFinding(finding));
  if (problems.length > 0) return problems;
  if (findings.some(({ severity }) => severity === 'error')) {
    return [
      { code: 'AIG606', what: 'the manifests have errors, listed above', fix: 'correct them: an API server would refuse them' },
    ];
  }
  say(`Checked: ${objects.length} objects, ${findings.length === 0 ? 'no findings' : `${findings.length} warnings`}`);
  const { plan, problems: faults } = planOf(objects, options);
  if (plan === undefined) return faults;
  for (const text of plan.notices) say(`NOTE ${text}`);
  return { plan, objects };
}

/** Prints problems. @returns exit code: 2 for wrong usage */
export function refuse(problems: readonly Problem[]): number {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  return problems[0]?.code === 'AIG600' ? 2 : 1;
}
