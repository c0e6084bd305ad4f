import type { Outcome } from '../ext-proc/director';
import type { Exposition } from './exposition';

/** The rate is the mean of so many seconds, the one under way among them. */
const RATE_SECONDS = 60;
const KINDS = ['input', 'output'] as const;

/** Tokens of one kind of one pool. */
class TokenRate {
  public total = 0;
  private readonly buckets = new Float64Array(RATE_SECONDS);
  private latest = 0;

  public add(tokens: number, nowMs: number): void {
    this.total += tokens;
    this.advance(nowMs);
    this.buckets[this.latest % RATE_SECONDS]! += tokens;
  }

  public perSecond(nowMs: number): number {
    this.advance(nowMs);
    return this.buckets.reduce((sum, tokens) => sum + tokens, 0) / RATE_SECONDS;
  }

  private advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1e3);
    if (second - this.latest >= RATE_SECONDS) this.buckets.fill(0);
    else for (let at = this.latest + 1; at <= second; at++) this.buckets[at % RATE_SECONDS] = 0;
    this.latest = Math.max(this.latest, second);
  }
}

/** Tokens by pool, as its engines counted them. Pools are named by the configuration, and so are few. */
export class PoolTokens {
  private readonly pools = new Map<string, Record<(typeof KINDS)[number], TokenRate>>();

  public used(pool: string, { inputTokens, outputTokens }: Outcome, nowMs: number): void {
    let rates = this.pools.get(pool);
    if (rates === undefined) this.pools.set(pool, (rates = { input: new TokenRate(), output: new TokenRate() }));
    if (inputTokens > 0) rates.input.add(inputTokens, nowMs);
    if (outputTokens > 0) rates.output.add(outputTokens, nowMs);
  }

  public write(out: Exposition, nowMs: number): void {
    const total = 'aig_picker_pool_tokens_total';
    out.family(total, 'counter', 'Tokens of finished requests by pool, as its engines counted them.');
    for (const [pool, rates] of this.pools) {
      for (const kind of KINDS) out.sample(total, ['kind', kind, 'pool', pool], rates[kind].total);
    }
    const rate = 'aig_picker_pool_tokens_per_second';
    out.family(rate, 'gauge', 'Mean of the last minute, of requests that ended in it.');
    for (const [pool, rates] of this.pools) {
      for (const kind of KINDS) out.sample(rate, ['kind', kind, 'pool', pool], rates[kind].perSecond(nowMs));
    }
  }
}
