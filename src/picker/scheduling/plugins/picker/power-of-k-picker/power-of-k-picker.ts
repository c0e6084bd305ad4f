import type { RandomSource } from '../../../../../shared/random';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Picker } from '../../../interface/plugins';
import type { PluginParameters } from '../../../plugin-parameters';
import { takeBest } from '../take-best';

export interface PowerOfKOptions {
  readonly maxNumOfEndpoints: number;
  /** How many of the endpoints with old reports are looked at. @default 2 */
  readonly choices: number;
  /** Below this trust a report is old, 0 to 1. @default 0.5 */
  readonly minTrustRatio: number;
}

export const DEFAULT_POWER_OF_K: PowerOfKOptions = { maxNumOfEndpoints: 1, choices: 2, minTrustRatio: 0.5 };

/**
 * `power-of-k-picker`: the highest total, but among endpoints whose reports are old only the best of a few at random: where everyone sees
 * the same old figures, everyone would go to the same endpoint (Mitzenmacher 2000, "How useful is old information?"). With fresh reports
 * it is max-score-picker. Parameters: `maxNumOfEndpoints` 1, `choices` 2, `minTrustRatio` 0.5.
 */
export class PowerOfKPicker implements Picker {
  public static readonly TYPE = 'power-of-k-picker';
  public readonly maxNumOfEndpoints: number;
  private keys = new Float64Array(0);

  public constructor(
    private readonly options: PowerOfKOptions,
    private readonly random: RandomSource,
  ) {
    this.maxNumOfEndpoints = options.maxNumOfEndpoints;
  }

  public static fromParameters(parameters: PluginParameters, random: RandomSource): PowerOfKPicker {
    const fallback = DEFAULT_POWER_OF_K;
    const choices = parameters.integer('choices', fallback.choices, { min: 1, max: 100 });
    const minTrustRatio = parameters.number('minTrustRatio', fallback.minTrustRatio, { min: 0, max: 1 });
    return new PowerOfKPicker({ choices, minTrustRatio, maxNumOfEndpoints: parameters.maxNumOfEndpoints() }, random);
  }

  public pick(
    totals: Float64Array,
    count: number,
    picked: Int32Array,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
  ): number {
    const { choices, minTrustRatio } = this.options;
    const { trustRatio } = table;
    const wanted = Math.min(count, this.maxNumOfEndpoints);
    let old = 0;
    for (let k = 0; k < count; k++) if (trustRatio[candidates[k]!]! < minTrustRatio) old++;
    if (old <= choices) return takeBest(totals, count, picked, wanted, this.random);

    if (this.keys.length < count) this.keys = new Float64Array(totals.length);
    const { keys } = this;
    let left = Math.max(choices, wanted - (count - old));
    let unseen = old;
    for (let k = 0; k < count; k++) {
      keys[k] = totals[k]!;
      if (trustRatio[candidates[k]!]! >= minTrustRatio) continue;
      // selection sampling (Knuth, The Art of Computer Programming, 3.4.2, algorithm S): each set of that size is equally likely
      if (this.random.next() * unseen-- < left) left--;
      else keys[k] = Number.NEGATIVE_INFINITY;
    }
    return takeBest(keys, count, picked, wanted, this.random);
  }
}
