import type { BudgetStore, Budgets } from './budgets';
import type { LimitRule } from './limit-rule';
import type { KeyStanding } from './standing';

/** Keys that are shown of one limit: those with the highest use. */
const SHOWN_KEYS = 100;

/** /debug/limits: each limit with the keys that use it most, as its store counts them, as JSON. */
export async function* limitsPage(budgets: Budgets, store: BudgetStore): AsyncGenerator<string> {
  const limits: object[] = [];
  for (const rule of budgets.rules) limits.push({ ...shownRule(rule), ...(await shownKeys(rule, store)) });
  yield `${JSON.stringify({ limits }, undefined, 2)}\n`;
}

function shownRule(rule: LimitRule): object {
  return {
    name: rule.name,
    unit: rule.unit,
    amount: rule.amount,
    ...rule.windows,
    key: rule.keySource,
    shadow: rule.shadow,
    weights: rule.unit === 'tokens' ? rule.weights : undefined,
  };
}

async function shownKeys(rule: LimitRule, store: BudgetStore): Promise<object> {
  let all: KeyStanding[];
  try {
    all = [...(await store.standings(rule))].sort((a, b) => b.used - a.used);
  } catch (error) {
    return { keys: 0, highest: [], unknown: `the store does not answer: ${(error as Error).message}` };
  }
  const highest = all.slice(0, SHOWN_KEYS).map(({ key, use, used, debt }) => ({
    key,
    used: Math.ceil(used),
    remaining: Math.max(0, Math.floor(rule.amount - used)),
    thisWindow: use.current,
    lastWindow: use.previous,
    reserved: use.reserved,
    debt,
    requestsUnderWay: use.open,
  }));
  return { keys: all.length, highest };
}
