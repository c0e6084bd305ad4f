import type { EndpointExplanation } from '../scheduling/decision-record';

/** Asks for the explanation of a decision, where the picker gives it (`--explain-requests`). Any value. */
export const EXPLAIN_HEADER = 'x-aig-explain';
/** Has it, in the answer. */
export const DECISION_HEADER = 'x-aig-decision';

/** Endpoints that are shown, those that were best; proxies take headers of a few kilobytes. */
const SHOWN_ENDPOINTS = 8;

/** A decision as the value of a header: JSON in ASCII. All of it is on /debug/decisions/<request id>. */
export function decisionHeader(explanation: readonly EndpointExplanation[], destination: string): string {
  const verdicts: Record<string, number> = {};
  for (const { verdict } of explanation) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  const endpoints = explanation.slice(0, SHOWN_ENDPOINTS).map(({ endpoint, verdict, tied, scores, weights, total, inputs }) => ({
    endpoint,
    verdict,
    ...(tied === true ? { tied } : {}),
    total: rounded(total),
    scores: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, [rounded(score), weights[name]!]])),
    inFlight: inputs.inFlight,
    waiting: inputs.waiting,
    cachedTokens: inputs.cachedTokens,
  }));
  const text = JSON.stringify({ chosen: destination.split(','), profile: explanation[0]?.profile, verdicts, endpoints });
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
