import { limitText } from '../limit-text';
import type { BoardState, BudgetState, DecisionState, EndpointState } from './board-state';

const BAR = 10;
/** Keys of one budget; those with the highest use. */
const SHOWN_KEYS = 3;

/** The board as lines for a terminal of this size. */
export function renderBoard(state: BoardState, columns: number, rows: number): string[] {
  const { pools, models, budgets, decisions, url, proxy } = state;
  const lines = [`${url}  proxy: ${proxy}  ${state.at.slice(11, 19)}  Ctrl-C ends everything`, ''];
  lines.push(`${'MODEL'.padEnd(34)}${cell('REQUESTS')}${cell('RUNNING')}${cell('ERRORS')}`);
  for (const { name, requests, running, errors } of models) {
    lines.push(`${padded(name === '' ? '(none)' : name, 33)} ${cell(requests)}${cell(running)}${cell(errors)}`);
  }
  if (models.length === 0) lines.push('no request yet');
  lines.push(
    '',
    `${'POOL / ENDPOINT'.padEnd(34)}${cell('QUEUE')}${cell('RUNNING')}  ${'KV'.padEnd(BAR + 5)}${cell('IN FLIGHT')}${cell('TOKENS/S')}${cell('PREFIX')}`,
  );
  for (const { name, endpoints } of pools) {
    lines.push(name);
    lines.push(...endpoints.map(endpointLine));
  }
  if (budgets.length > 0) {
    lines.push('', `${'BUDGET'.padEnd(34)}${cell('USED')}${cell('LEFT')}  OF`);
    lines.push(...budgets.flatMap(budgetLines));
  }
  const room = rows - lines.length - 3;
  if (room > 0) {
    lines.push('', 'LAST DECISIONS');
    lines.push(...decisions.slice(0, room).map(decisionLine));
  }
  return lines.slice(0, rows).map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line));
}

/** One decision, also for output that is no terminal. */
export function decisionLine({ at, model, result, why }: DecisionState): string {
  return `${at.slice(11, 23)} ${model === '' ? '(no model)' : model} → ${result}${why === undefined ? '' : `  ${why}`}`;
}

function budgetLines(budget: BudgetState): string[] {
  const { name, amount, countedBy, highest } = budget;
  const whole = limitText(budget);
  const each = countedBy === 'all' ? '' : ` for each ${countedBy}`;
  if (highest.length === 0) return [`${padded(name, 33)} ${cell(0)}${cell(amount)}  ${whole}${each}`];
  return highest.slice(0, SHOWN_KEYS).map(({ key, used, remaining }) => {
    const title = key === '' ? name : `${name} ${key}`;
    return `${padded(title, 33)} ${cell(used)}${cell(remaining)}  ${whole}`;
  });
}

function endpointLine(endpoint: EndpointState): string {
  const { name, isRunning, waiting, running, kvUsageRatio, inFlight, tokensPerSecond, prefixHitRatio } = endpoint;
  const title = `  ${padded(name, 31)} `;
  if (!isRunning) return `${title}stopped`;
  if (kvUsageRatio === undefined) return `${title}the picker does not know it yet`;
  const filled = Math.round(kvUsageRatio * BAR);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}${`${Math.round(kvUsageRatio * 100)}%`.padStart(5)}`;
  const prefix = prefixHitRatio === undefined ? '–' : `${Math.round(prefixHitRatio * 100)}%`;
  return `${title}${cell(waiting!)}${cell(running!)}  ${bar}${cell(inFlight!)}${cell(tokensPerSecond)}${cell(prefix)}`;
}

function cell(value: number | string): string {
  return String(value).padStart(10);
}

function padded(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
