import type { Exposition } from '../telemetry/exposition';
import { LabelLimiter, OTHER } from '../telemetry/label-limiter';
import type { LimitRule } from './limit-rule';
import type { ChargedTokens } from './usage-charge';

const MAX_MODELS = 200;
const MAX_CLIENTS = 500;
/** Pairs of both. */
const MAX_SERIES = 2_000;

/** Counts of one limit. */
export class LimitCounts {
  public admitted = 0;
  public wouldReject = 0;
  public reservedTokens = 0;
  public spentTokens = 0;
  public refundedTokens = 0;
  public surchargedTokens = 0;
  public debtTokens = 0;
  /** By reason. */
  public readonly rejections = new Map<string, number>();
}

interface TokenCounts {
  readonly labels: readonly string[];
  input: number;
  cached: number;
  output: number;
}

/** Tokens by model and client, and what limits did. Labels that clients can choose are bounded. */
export class TokenMetrics {
  private readonly limits = new Map<string, LimitCounts>();
  private readonly tokens = new Map<string, TokenCounts>();
  private readonly models = new LabelLimiter(MAX_MODELS);
  private readonly clients = new LabelLimiter(MAX_CLIENTS);
  public unauthorized = 0;
  public storeFailures = 0;

  public limit(rule: LimitRule): LimitCounts {
    const known = this.limits.get(rule.name);
    if (known !== undefined) return known;
    const counts = new LimitCounts();
    this.limits.set(rule.name, counts);
    return counts;
  }

  /** A removed limit disappears from the page too. */
  public keepOnly(rules: readonly LimitRule[]): void {
    const names = new Set(rules.map(({ name }) => name));
    for (const name of this.limits.keys()) if (!names.has(name)) this.limits.delete(name);
  }

  public rejected(rule: LimitRule, reason: string): void {
    const { rejections } = this.limit(rule);
    rejections.set(reason, (rejections.get(reason) ?? 0) + 1);
  }

  public used(model: string, client: string | undefined, tokens: ChargedTokens): void {
    const counts = this.series(this.models.admit(model), client === undefined ? '' : this.clients.admit(client));
    counts.input += tokens.input;
    counts.cached += tokens.cached;
    counts.output += tokens.output;
  }

  public settled(rule: LimitRule, reserved: number, actual: number): void {
    const counts = this.limit(rule);
    counts.spentTokens += actual;
    if (actual < reserved) counts.refundedTokens += reserved - actual;
    else counts.surchargedTokens += actual - reserved;
  }

  public write(out: Exposition): void {
    const name = 'aig_picker_tokens_total';
    out.family(name, 'counter', 'Tokens of finished requests; cached ones are a part of the input.');
    for (const { labels, input, cached, output } of this.tokens.values()) {
      out.sample(name, ['kind', 'input', ...labels], input);
      out.sample(name, ['kind', 'cached', ...labels], cached);
      out.sample(name, ['kind', 'output', ...labels], output);
    }
    this.counter(out, 'admitted_total', 'Requests that a limit let pass.', ({ admitted }) => admitted);
    this.counter(out, 'would_reject_total', 'Requests that a shadow limit would have refused.', (counts) => counts.wouldReject);
    this.counter(out, 'reserved_tokens_total', 'Tokens set aside.', ({ reservedTokens }) => reservedTokens);
    this.counter(out, 'spent_tokens_total', 'Tokens charged in the end.', ({ spentTokens }) => spentTokens);
    this.counter(out, 'refunded_tokens_total', 'Tokens set aside and given back.', ({ refundedTokens }) => refundedTokens);
    const surcharged = 'Tokens charged beyond what was set aside.';
    this.counter(out, 'surcharged_tokens_total', surcharged, ({ surchargedTokens }) => surchargedTokens);
    const debt = 'Tokens used beyond the limit, which later windows work off.';
    this.counter(out, 'debt_tokens_total', debt, ({ debtTokens }) => debtTokens);
    const rejections = 'aig_picker_limit_rejections_total';
    out.family(rejections, 'counter', 'Requests that a limit refused, by reason.');
    for (const [limit, counts] of this.limits) {
      for (const [reason, count] of counts.rejections) out.sample(rejections, ['limit', limit, 'reason', reason], count);
    }
    const unauthorized = 'aig_picker_unauthorized_total';
    out.family(unauthorized, 'counter', 'Requests without a known client.');
    out.sample(unauthorized, [], this.unauthorized);
    const failures = 'aig_picker_limit_store_failures_total';
    out.family(failures, 'counter', 'Questions that the shared store of limits did not answer in time.');
    out.sample(failures, [], this.storeFailures);
  }

  private counter(out: Exposition, suffix: string, help: string, value: (counts: LimitCounts) => number): void {
    const name = `aig_picker_limit_${suffix}`;
    out.family(name, 'counter', help);
    for (const [limit, counts] of this.limits) out.sample(name, ['limit', limit], value(counts));
  }

  private series(model: string, client: string): TokenCounts {
    const key = `${model}\n${client}`;
    const known = this.tokens.get(key);
    if (known !== undefined) return known;
    if (this.tokens.size >= MAX_SERIES && model !== OTHER) return this.series(OTHER, OTHER);
    const counts = { labels: ['model', model, 'client', client], input: 0, cached: 0, output: 0 };
    this.tokens.set(key, counts);
    return counts;
  }
}
