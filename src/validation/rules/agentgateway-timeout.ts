import { finding, type Rule } from './rule';
import { durationSeconds } from './support/quantities';

/** agentgateway takes no timeout below 100 ms, and `0s` does not mean none. */
export const agentgatewayTimeout: Rule = {
  code: 'AIG171',
  name: 'agentgateway-timeout',
  title: 'A timeout of an AgentgatewayPolicy is at least 100 ms',
  severity: 'error',
  check: (index) =>
    index.ofKind('agentgateway.dev', 'AgentgatewayPolicy').flatMap((policy) => {
      const request = policy.at('spec', 'traffic', 'timeouts', 'request');
      const seconds = durationSeconds(request.text);
      if (seconds === undefined || seconds >= 0.1) return [];
      return [
        finding(request, 'is less than 100 ms', {
          fix: seconds === 0 ? 'leave it out for no timeout' : 'take 100ms or more',
          ...(seconds === 0 ? { mend: { remove: request.path } } : {}),
        }),
      ];
    }),
};
