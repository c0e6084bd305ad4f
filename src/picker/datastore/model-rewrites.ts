import type { RandomSource } from '../../shared/random';

/** An InferenceModelRewrite (llm-d) of the pool. */
export interface ModelRewrite {
  readonly name: string;
  /** RFC 3339: of rules for the same model, the one of the oldest rewrite applies. */
  readonly createdAt: string;
  readonly rules: readonly RewriteRule[];
}

export interface RewriteRule {
  /** Names of models, each compared exactly; empty for every model. */
  readonly models: readonly string[];
  readonly targets: readonly RewriteTarget[];
}

export interface RewriteTarget {
  /** Name that the engine serves the model under. */
  readonly model: string;
  /** Share of the requests. Without a weight on any target all shares are equal; where others have one, a target without is never used. */
  readonly weight?: number;
}

/** The targets of one rule, ready for the draw. */
interface Draw {
  readonly models: readonly string[];
  /** Sums of the weights up to each target. */
  readonly ends: readonly number[];
}

/**
 * Which model a request goes to: the rule that names its model, else the rule for every model; of several the one of the oldest rewrite
 * (llm-d's `pkg/epp/datastore`, `ModelRewriteGet`).
 */
export class ModelRewrites {
  private exact = new Map<string, Draw>();
  private general: Draw | undefined;

  public constructor(private readonly random: RandomSource) {}

  public replaceAll(rewrites: readonly ModelRewrite[]): void {
    const exact = new Map<string, Draw>();
    let general: Draw | undefined;
    const oldestFirst = [...rewrites].sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.name, b.name));
    for (const { models, targets } of oldestFirst.flatMap(({ rules }) => rules)) {
      const draw = drawOf(targets);
      if (draw === undefined) continue;
      if (models.length === 0) general ??= draw;
      for (const model of models) if (!exact.has(model)) exact.set(model, draw);
    }
    this.exact = exact;
    this.general = general;
  }

  /** Model that the engine must see; undefined when no rule applies. @param model empty when the request names none */
  public targetOf(model: string): string | undefined {
    const draw = this.exact.get(model) ?? this.general;
    if (draw === undefined) return undefined;
    const { models, ends } = draw;
    if (models.length === 1) return models[0];
    const chance = this.random.next() * ends[ends.length - 1]!;
    let chosen = 0;
    while (chance >= ends[chosen]!) chosen++;
    return models[chosen];
  }
}

/** Undefined where there is nothing to draw. */
function drawOf(targets: readonly RewriteTarget[]): Draw | undefined {
  const isWeighted = targets.some(({ weight }) => weight !== undefined);
  const used = targets.filter(({ weight }) => !isWeighted || (weight ?? 0) > 0);
  if (used.length === 0) return undefined;
  let end = 0;
  const ends = used.map(({ weight = 1 }) => {
    end += weight;
    return end;
  });
  return { models: used.map(({ model }) => model), ends };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
