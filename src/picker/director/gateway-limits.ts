import type { PolicyLimit, PolicyModel } from '../../picker-config/picker-policy';
import { gatewayLimitName, PICKER_METADATA } from '../../shared/gateway-limits';
import type { DynamicMetadata } from '../ext-proc/processing-response';
import { LimitRule, type LimitSubject } from '../tokens/limit-rule';
import type { ChargedTokens } from '../tokens/usage-charge';

/** Key of those that share one budget. No other key is written so. */
const SHARED_KEY = '<shared>';

/** Limits that the gateway enforces: it is told what to count a request by, and what the request has used. */
export class GatewayLimits {
  private readonly rules: readonly LimitRule[];

  public constructor(limits: readonly PolicyLimit[], models: readonly PolicyModel[]) {
    this.rules = limits.filter(({ enforcedBy }) => enforcedBy === 'gateway').map((limit) => new LimitRule(limit, models));
  }

  public get isEmpty(): boolean {
    return this.rules.length === 0;
  }

  /** What the gateway counts of a request; undefined where no limit applies. */
  public shareOf(subject: LimitSubject): GatewayShare | undefined {
    const rules = this.rules.filter((rule) => rule.applies(subject));
    if (rules.length === 0) return undefined;
    return new GatewayShare(
      rules,
      rules.flatMap((rule) => [gatewayLimitName(rule.name), headerValue(rule.keyOf(subject))]),
    );
  }
}

/** What the gateway counts of one request. */
export class GatewayShare {
  public constructor(
    private readonly rules: readonly LimitRule[],
    /** Name and value in turn. */
    public readonly headers: readonly string[],
  ) {}

  /** What each limit is charged. */
  public metadata({ input, cached, output }: ChargedTokens): DynamicMetadata {
    const charges = this.rules.map((rule) => [gatewayLimitName(rule.name), rule.usedBy(input, cached, output)] as const);
    return { [PICKER_METADATA]: Object.fromEntries(charges) };
  }
}

/** Keys may hold any text, lone surrogates included, and an empty header would be none. */
function headerValue(key: string): string {
  return key === '' ? SHARED_KEY : encodeURIComponent(Buffer.from(key).toString());
}
