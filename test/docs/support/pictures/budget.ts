import { Budgets } from '../../../../src/picker/tokens/budgets';
import { MemoryStore } from '../../../../src/picker/tokens/memory-store';
import type { Reservation } from '../../../../src/picker/tokens/reservation';
import type { PolicyLimit } from '../../../../src/picker-config/picker-policy';
import { ManualClock } from '../../../../src/shared/clock';
import { Svg } from './svg';

const LIMIT: PolicyLimit = {
  name: 'per-client',
  unit: 'tokens',
  amount: 1_000,
  windowSeconds: 60,
  key: { source: 'client' },
  weights: { input: 1, output: 1, cached: 1 },
  clamp: false,
  shadow: false,
  onStoreFailure: 'closed',
};
const END_SECONDS = 150;
/** A request every so often: 100 tokens of prompt, at most 200 of answer, of which the engine makes 120 in 4 seconds. */
const EVERY_SECONDS = 9;
const DEMAND = { model: 'llama', textBytes: 400, media: 0, maxTokens: 200, generates: true, choices: 1, isBoundable: true };
const ACTUAL_TOKENS = 220;
const ANSWER_SECONDS = 4;

/** A client that asks steadily, its budget over time: the picker's own counters, with a clock that is moved by hand. */
export function budgetPicture(): string {
  const clock = new ManualClock(0);
  const budgets = new Budgets(clock, 'picture');
  budgets.use({ limits: [LIMIT], models: [] });
  const store = new MemoryStore(budgets.memory, budgets.metrics);
  const subject = {
    client: 'alice',
    tenant: undefined,
    apiKey: undefined,
    model: 'llama',
    pool: 'llama',
    claim: () => undefined,
    header: () => undefined,
  };
  const svg = new Svg(880, 320, 'A token budget over time');
  const at = (seconds: number, tokens: number): [number, number] => [70 + seconds * 5.2, 270 - tokens * 0.19];
  svg
    .text('A budget of 1,000 tokens in 60 s', 24, 28, 'title')
    .text('the counters of the picker, for a client that asks every nine seconds', 300, 28, 'small');
  svg
    .line('axis', [at(0, 0), at(END_SECONDS, 0)])
    .line('axis', [at(0, 0), at(0, 1_150)])
    .line('limit', [at(0, 1_000), at(END_SECONDS, 1_000)]);
  for (const seconds of [0, 30, 60, 90, 120, 150]) svg.text(`${seconds} s`, at(seconds, 0)[0] - 10, 288, 'small');
  for (const tokens of [0, 500, 1_000]) svg.text(String(tokens), 58, at(0, tokens)[1] + 4, 'small end');
  const curve: [number, number][] = [];
  const marks: (() => void)[] = [];
  const underWay: { readonly endsAt: number; readonly reservation: Reservation }[] = [];
  let told = false;
  for (let seconds = 0; seconds <= END_SECONDS; seconds++) {
    while (underWay[0] !== undefined && underWay[0].endsAt <= seconds)
      store.settle(underWay.shift()!.reservation, [ACTUAL_TOKENS]);
    if (seconds % EVERY_SECONDS === 0) {
      const claim = budgets.claim(subject, DEMAND) as Reservation;
      store.reserve(claim, (result) => {
        const used = usedOf(budgets);
        const [x, y] = at(seconds, used);
        if (result.kind === 'granted') {
          underWay.push({ endsAt: seconds + ANSWER_SECONDS, reservation: claim });
          marks.push(() => svg.dot('#3c9d5c', x, y));
        } else if (result.kind === 'denied') {
          const wait = Math.ceil(result.denial.retryMs / 1e3);
          const isFirst = !told;
          told = true;
          marks.push(() => {
            svg.dot('#c0392b', x, y);
            if (isFirst) svg.text(`429, Retry-After ${wait}`, x - 20, at(0, 1_000)[1] - 10, 'small bold');
          });
        }
      });
    }
    curve.push(at(seconds, usedOf(budgets)));
    clock.advance(1_000);
  }
  svg.line('curve', curve);
  for (const mark of marks) mark();
  svg.dot('#3c9d5c', 84, 306).text('admitted: 300 tokens set aside, 220 charged when the answer is over', 94, 310, 'small');
  svg.dot('#c0392b', 520, 306).text('refused, and nothing set aside', 530, 310, 'small');
  return svg.toString();
}

function usedOf(budgets: Budgets): number {
  return [...budgets.memory.standings(budgets.rules[0]!)][0]?.used ?? 0;
}
