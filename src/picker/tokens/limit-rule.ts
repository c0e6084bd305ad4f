import type { LimitWeights, PolicyLimit, PolicyModel } from '../../picker-config/picker-policy';

/** Who asks for what: what a limit may count by. */
export interface LimitSubject {
  /** Undefined where nobody is identified. */
  readonly client: string | undefined;
  readonly tenant: string | undefined;
  /** Stable name of the API key, not the key. */
  readonly apiKey: string | undefined;
  /** As clients know it. */
  readonly model: string;
  readonly pool: string;
  header(name: string): string | undefined;
}

/** A limit of the policy, ready to be asked. */
export class LimitRule {
  public readonly name: string;
  public readonly amount: number;
  public readonly windowMs: number;
  public readonly weights: LimitWeights;
  public readonly shadow: boolean;
  public readonly onStoreFailure: PolicyLimit['onStoreFailure'];
  /** Two rules with the same identity count on, whatever else changed. */
  public readonly identity: string;
  private readonly models: ReadonlySet<string> | undefined;

  public constructor(
    private readonly limit: PolicyLimit,
    models: readonly PolicyModel[],
  ) {
    this.name = limit.name;
    this.amount = limit.amount;
    this.windowMs = limit.windowSeconds * 1e3;
    this.weights = limit.weights;
    this.shadow = limit.shadow;
    this.onStoreFailure = limit.onStoreFailure;
    this.identity = `${limit.name}:${limit.key.source}:${limit.key.name ?? ''}:${limit.windowSeconds}`;
    // requests are known by the model's own name, whichever alias they used
    const owner = new Map(models.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name] as const)));
    this.models = limit.models === undefined ? undefined : new Set(limit.models.map((name) => owner.get(name) ?? name));
  }

  public get keySource(): string {
    return this.limit.key.source;
  }

  public applies(subject: LimitSubject): boolean {
    return this.models === undefined || this.models.has(subject.model);
  }

  /** What is counted together; those without a value share one budget, so that leaving it out gains nothing. */
  public keyOf(subject: LimitSubject): string {
    switch (this.limit.key.source) {
      case 'client':
        return subject.client ?? '';
      case 'tenant':
        return subject.tenant ?? '';
      case 'apiKey':
        return subject.apiKey ?? '';
      case 'model':
        return subject.model;
      case 'pool':
        return subject.pool;
      case 'header':
        return subject.header(this.limit.key.name!) ?? '';
      default:
        return '';
    }
  }

  /** What tokens count against this limit, as a whole number. */
  public charge(inputTokens: number, cachedTokens: number, outputTokens: number): number {
    const { input, cached, output } = this.weights;
    return Math.round((inputTokens - cachedTokens) * input + cachedTokens * cached + outputTokens * output);
  }
}
