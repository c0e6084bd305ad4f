import type { RandomSource } from '../../../../../shared/random';
import type { Picker } from '../../../interface/plugins';
import type { PluginParameters } from '../../../plugin-parameters';
import { takeBest } from '../take-best';

/**
 * `max-score-picker`: the highest total, ties broken by chance, each tied endpoint as likely as the others.
 * As llm-d-router v0.10, `scheduling/picker/maxscore`, which shuffles and then sorts. Parameter: `maxNumOfEndpoints`, 1 by default.
 */
export class MaxScorePicker implements Picker {
  public static readonly TYPE = 'max-score-picker';

  public constructor(
    public readonly maxNumOfEndpoints: number,
    private readonly random: RandomSource,
  ) {}

  public static fromParameters(parameters: PluginParameters, random: RandomSource): MaxScorePicker {
    return new MaxScorePicker(parameters.maxNumOfEndpoints(), random);
  }

  public pick(totals: Float64Array, count: number, picked: Int32Array): number {
    return takeBest(totals, count, picked, Math.min(count, this.maxNumOfEndpoints), this.random);
  }
}
