import type { Field, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { type Engine, enginesBehind } from './support/engines';
import { durationSeconds } from './support/quantities';
import { backendRefs, httpRoutes, rulesOf } from './support/routes';

const DEFAULT_GRACE_SECONDS = 30;

/** Pods are killed when their grace period is over, whatever answers they are giving. */
export const drainTime: Rule = {
  code: 'AIG208',
  name: 'drain-time',
  title: 'An engine is given time to finish the longest answer before it is killed',
  severity: 'warning',
  check: (index) => [...longestAnswers(index)].flatMap(([engine, seconds]) => check(engine, seconds)),
};

/** The longest timeout of the routes that lead to an engine; engines without a finite one are left out. */
function longestAnswers(index: ObjectIndex): Map<Engine, number> {
  const longest = new Map<Engine, number>();
  for (const route of httpRoutes(index)) {
    for (const rule of rulesOf(route)) {
      const seconds = durationSeconds(rule.at('timeouts', 'request').text ?? rule.at('timeouts', 'backendRequest').text);
      if (seconds === undefined || seconds === 0) continue;
      for (const reference of backendRefs(rule))
        for (const engine of enginesBehind(index, reference)) longest.set(engine, Math.max(seconds, longest.get(engine) ?? 0));
    }
  }
  return longest;
}

function check({ workload }: Engine, answerSeconds: number): RuleFinding[] {
  const field: Field = workload.podSpec.at('terminationGracePeriodSeconds');
  const grace = field.number ?? DEFAULT_GRACE_SECONDS;
  if (grace >= answerSeconds) return [];
  const what = field.isSet ? 'is' : `is not set, and its default of ${DEFAULT_GRACE_SECONDS} s is`;
  return [
    finding(field, `${what} less than the ${answerSeconds} s that the route allows for an answer`, {
      allowed: `${answerSeconds} or more`,
      fix: 'raise it, with a preStop hook that waits until the engine is idle, or shorten the timeout of the route',
    }),
  ];
}
