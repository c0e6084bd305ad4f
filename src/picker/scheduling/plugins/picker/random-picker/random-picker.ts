import type { RandomSource } from '../../../../../shared/random';
import type { Picker } from '../../../interface/plugins';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `random-picker`: any candidate with the same probability, whatever the scores.
 * As llm-d-router v0.10, `scheduling/picker/random`. Parameter: `maxNumOfEndpoints`, 1 by default.
 */
export class RandomPicker implements Picker {
  public static readonly TYPE = 'random-picker';

  public constructor(
    public readonly maxNumOfEndpoints: number,
    private readonly random: RandomSource,
  ) {}

  public static fromParameters(parameters: PluginParameters, random: RandomSource): RandomPicker {
    return new RandomPicker(parameters.maxNumOfEndpoints(), random);
  }

  public pick(_totals: Float64Array, count: number, picked: Int32Array): number {
    const wanted = Math.min(count, this.maxNumOfEndpoints);
    // Floyd's sampling without replacement gives a random set; each newcomer goes to a random place, which makes its order random too
    for (let i = 0; i < wanted; i++) {
      const limit = count - wanted + i;
      let choice = Math.floor(this.random.next() * (limit + 1));
      for (let j = 0; j < i; j++) {
        if (picked[j] !== choice) continue;
        choice = limit;
        break;
      }
      const place = Math.floor(this.random.next() * (i + 1));
      picked[i] = picked[place]!;
      picked[place] = choice;
    }
    return wanted;
  }
}
