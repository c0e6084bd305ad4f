import type { Outcome } from '../../../../src/picker/ext-proc/director';
import { Budgets, type ReserveResult, type TokenDemand } from '../../../../src/picker/tokens/budgets';
import type { LimitSubject } from '../../../../src/picker/tokens/limit-rule';
import { MemoryStore } from '../../../../src/picker/tokens/memory-store';
import type { Denial, Reservation } from '../../../../src/picker/tokens/reservation';
import type { PolicyLimit, PolicyModel } from '../../../../src/picker-config/picker-policy';
import { ManualClock } from '../../../../src/shared/clock';

export const limit = (changes: Partial<PolicyLimit> = {}): PolicyLimit => ({
  name: 'limit',
  unit: 'tokens',
  amount: 1_000,
  windowSeconds: 60,
  key: { source: 'client' },
  weights: { input: 1, output: 1, cached: 1 },
  clamp: false,
  shadow: false,
  onStoreFailure: 'closed',
  ...changes,
});

export const demand = (changes: Partial<TokenDemand> = {}): TokenDemand => ({
  model: 'llama',
  textBytes: 0,
  media: 0,
  maxTokens: 100,
  choices: 1,
  isBoundable: true,
  generates: true,
  ...changes,
});

export const subject = (changes: Partial<LimitSubject> = {}): LimitSubject => ({
  client: 'alice',
  tenant: undefined,
  apiKey: undefined,
  model: 'llama',
  pool: 'pool',
  claim: () => undefined,
  header: () => undefined,
  ...changes,
});

export const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  status: 200,
  inputTokens: 0,
  outputTokens: 100,
  cachedTokens: 0,
  requestBytes: 0,
  responseBytes: 0,
  firstByteMs: 1,
  cause: 'natural',
  ...changes,
});

/** Budgets in memory, asked as admission asks them. */
export function world(limits: readonly PolicyLimit[], models: readonly PolicyModel[] = [], clock = new ManualClock(0)) {
  const budgets = new Budgets(clock, 'test');
  budgets.use({ limits, models });
  const store = new MemoryStore(budgets.memory, budgets.metrics);
  const ask = (who: LimitSubject = subject(), what: TokenDemand = demand()): Reservation | Denial | undefined => {
    const claim = budgets.claim(who, what);
    if (claim === undefined || 'retryMs' in claim) return claim;
    let result: ReserveResult | undefined;
    store.reserve(claim, (answer) => {
      result = answer;
    });
    if (result?.kind === 'denied') return result.denial;
    budgets.granted(claim);
    return claim;
  };
  const pass = (who?: LimitSubject, what?: TokenDemand): Reservation => {
    const answer = ask(who, what);
    if (answer === undefined || 'retryMs' in answer) throw new Error(`refused: ${JSON.stringify(answer)}`);
    return answer;
  };
  const settle = (reservation: Reservation, how: Outcome = outcome(), what: TokenDemand = demand()): void =>
    store.settle(reservation, budgets.settlement(reservation, what, 'alice', how));
  const used = (key = 'alice', index = 0): number =>
    [...budgets.memory.standings(budgets.rules[index]!)].find((entry) => entry.key === key)?.used ?? 0;
  return { clock, budgets, store, ask, pass, settle, used };
}

export const isDenied = (answer: Reservation | Denial | undefined): boolean => answer !== undefined && 'retryMs' in answer;
