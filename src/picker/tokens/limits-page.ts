import type { Budgets } from './budgets';

/** Keys that are shown of one limit: those with the highest use. */
const SHOWN_KEYS = 100;

/** /debug/limits: each limit with the keys that use it most, as this picker counts them, as JSON. */
export function limitsPage(budgets: Budgets): string {
  const limits = budgets.rules.map((rule) => {
    const all = [...budgets.memory.standings(rule)].sort((a, b) => b.used - a.used);
    return {
      name: rule.name,
      amount: rule.amount,
      windowSeconds: rule.windowMs / 1e3,
      key: rule.keySource,
      shadow: rule.shadow,
      weights: rule.weights,
      keys: all.length,
      highest: all.slice(0, SHOWN_KEYS).map(({ key, use, used, debt }) => ({
        key,
        usedTokens: Math.ceil(used),
        remainingTokens: Math.max(0, Math.floor(rule.amount - used)),
        thisWindowTokens: use.current,
        lastWindowTokens: use.previous,
        reservedTokens: use.reserved,
        debtTokens: debt,
        requestsUnderWay: use.open,
      })),
    };
  });
  return `${JSON.stringify({ limits }, undefined, 2)}\n`;
}
