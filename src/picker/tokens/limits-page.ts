import type { Budgets } from './budgets';

/** Keys that are shown of one limit: those with the highest use. */
const SHOWN_KEYS = 100;

/** /debug/limits: each limit with the keys that use it most, as this picker counts them, as JSON. */
export function limitsPage(budgets: Budgets): string {
  const limits = budgets.rules.map((rule) => {
    const all = [...budgets.memory.standings(rule)].sort((a, b) => b.used - a.used);
    return {
      name: rule.name,
      unit: rule.unit,
      amount: rule.amount,
      ...rule.windows,
      key: rule.keySource,
      shadow: rule.shadow,
      weights: rule.unit === 'tokens' ? rule.weights : undefined,
      keys: all.length,
      highest: all.slice(0, SHOWN_KEYS).map(({ key, use, used, debt }) => ({
        key,
        used: Math.ceil(used),
        remaining: Math.max(0, Math.floor(rule.amount - used)),
        thisWindow: use.current,
        lastWindow: use.previous,
        reserved: use.reserved,
        debt,
        requestsUnderWay: use.open,
      })),
    };
  });
  return `${JSON.stringify({ limits }, undefined, 2)}\n`;
}
