import { countsTokens } from './request-limits';
import { finding, type Rule, type RuleFinding } from './rule';

const LATE = 'what is under way passes, and an answer that its client leaves counts nothing';
const FIX =
  'enforce the limit in the picker, which sets tokens aside before a request, or keep the limit well below what the engines bear';

/** A gateway learns what a request cost when its answer is over. */
export const lateTokenLimits: Rule = {
  code: 'AIG308',
  name: 'late-token-limits',
  title: 'A limit of tokens is charged before they are spent',
  severity: 'hint',
  check: (index) => [
    ...index.ofKind('gateway.envoyproxy.io', 'BackendTrafficPolicy').flatMap((policy) =>
      policy
        .at('spec', 'rateLimit', 'global', 'rules')
        .items.filter(countsTokens)
        .map(
          (rule): RuleFinding =>
            finding(
              rule.at('cost', 'response'),
              `is charged when an answer is over: ${LATE}; windows are fixed, so two budgets fit around their border`,
              {
                fix: FIX,
              },
            ),
        ),
    ),
    ...index
      .ofKind('configuration.konghq.com', 'KongPlugin')
      .filter((plugin) => plugin.at('plugin').text === 'ai-rate-limiting-advanced')
      .map((plugin): RuleFinding => {
        const strategy = plugin.at('config', 'strategy').text ?? 'local';
        const where = strategy === 'local' ? '; every Kong counts for itself, so each grants the whole limit' : '';
        return finding(plugin.at('plugin'), `charges when an answer is over: ${LATE}${where}`, { fix: FIX });
      }),
  ],
};
