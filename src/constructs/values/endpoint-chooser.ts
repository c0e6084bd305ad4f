import { checkedNumbers, checkedType, givenParameters, type PluginEntry, type PluginParameters } from './scoring-plugin';

/** What every chooser takes. */
export interface EndpointChooserOptions {
  /** How many endpoints are named, best first; a gateway that can retries in this order. 1 to 8. @default 1 */
  readonly maxEndpoints?: number;
}

/** How endpoints with old reports are chosen among. */
export interface PowerOfKOptions extends EndpointChooserOptions {
  /** How many of the endpoints with old reports are looked at. 1 to 100. @default 2 */
  readonly choices?: number;
  /** Below this trust a report is old, 0 to 1. @default 0.5 */
  readonly minTrustRatio?: number;
}

/** Turns the scores into the choice: the last step of a profile, the plugin kind that llm-d calls a picker. */
export class EndpointChooser {
  /** The highest score, ties broken at random. */
  public static maxScore(options: EndpointChooserOptions = {}): EndpointChooser {
    return new EndpointChooser('max-score-picker', counted('EndpointChooser.maxScore', options));
  }

  /** Any endpoint, whatever its score: a baseline to compare with. */
  public static random(options: EndpointChooserOptions = {}): EndpointChooser {
    return new EndpointChooser('random-picker', counted('EndpointChooser.random', options));
  }

  /** An endpoint at random, in proportion to its score, which keeps several pickers from choosing the same one. */
  public static weightedRandom(options: EndpointChooserOptions = {}): EndpointChooser {
    return new EndpointChooser('weighted-random-picker', counted('EndpointChooser.weightedRandom', options));
  }

  /**
   * The highest score, but of endpoints whose reports are old only the best of a few at random. Only this project's picker has it.
   * @throws AIG451
   */
  public static powerOfK(options: PowerOfKOptions = {}): EndpointChooser {
    const { choices, minTrustRatio } = options;
    const factory = 'EndpointChooser.powerOfK';
    const rules = { choices: { min: 1, max: 100, integer: true }, minTrustRatio: { min: 0, max: 1 } };
    const parameters = { ...counted(factory, options), ...checkedNumbers(factory, { choices, minTrustRatio }, rules) };
    return new EndpointChooser('power-of-k-picker', parameters);
  }

  /**
   * Any other one, by the type that the picker registers it under.
   * @throws AIG450 when it cannot be a type
   */
  public static custom(type: string, parameters: PluginParameters = {}): EndpointChooser {
    return new EndpointChooser(checkedType('EndpointChooser.custom', type, 'picker'), parameters);
  }

  /** @internal */
  public readonly _entry: PluginEntry;

  private constructor(
    /** Type in the configuration. */
    public readonly type: string,
    parameters: PluginParameters,
  ) {
    this._entry = { type, parameters: givenParameters(parameters) };
  }
}

function counted(factory: string, options: EndpointChooserOptions): PluginParameters {
  const rules = { maxNumOfEndpoints: { min: 1, max: 8, integer: true } };
  return checkedNumbers(factory, { maxNumOfEndpoints: options.maxEndpoints }, rules);
}
