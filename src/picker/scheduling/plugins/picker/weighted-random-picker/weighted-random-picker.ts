import type { RandomSource } from '../../../../../shared/random';
import type { Picker } from '../../../interface/plugins';
import type { PluginParameters } from '../../../plugin-parameters';
import { takeBest } from '../take-best';

/**
 * `weighted-random-picker`: a candidate with twice the total is twice as likely; with all totals 0, any.
 *
 * A-Res (Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir"): the highest keys `U^(1/w)` win, U uniform in (0, 1).
 * The logarithm of the key, `ln(U) / w`, has the same order and does not underflow. As llm-d-router v0.10,
 * `scheduling/picker/weightedrandom`. Parameter: `maxNumOfEndpoints`, 1 by default.
 */
export class WeightedRandomPicker implements Picker {
  public static readonly TYPE = 'weighted-random-picker';
  private keys = new Float64Array(0);

  public constructor(
    public readonly maxNumOfEndpoints: number,
    private readonly random: RandomSource,
  ) {}

  public static fromParameters(parameters: PluginParameters, random: RandomSource): WeightedRandomPicker {
    return new WeightedRandomPicker(parameters.maxNumOfEndpoints(), random);
  }

  public pick(totals: Float64Array, count: number, picked: Int32Array): number {
    if (this.keys.length < count) this.keys = new Float64Array(totals.length);
    const { keys } = this;
    for (let k = 0; k < count; k++) {
      const weight = totals[k]!;
      // 1 - U is in (0, 1], whose logarithm is finite
      keys[k] = weight > 0 ? Math.log(1 - this.random.next()) / weight : Number.NEGATIVE_INFINITY;
    }
    return takeBest(keys, count, picked, Math.min(count, this.maxNumOfEndpoints), this.random);
  }
}
