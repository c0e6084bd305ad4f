import { refuse } from '../internal/errors';

const LOWEST = -2_147_483_648;
const HIGHEST = 2_147_483_647;

/**
 * How much a model's requests matter when the pool is full. It belongs to the model and never to a client's header, so that no
 * client can raise itself. Higher numbers are served first; negative ones are shed first.
 */
export class Criticality {
  /** Served before everything else, never shed while anything else could be. Priority 100. */
  public static readonly CRITICAL = new Criticality(100, 'Critical');
  /** The default. Priority 0. */
  public static readonly STANDARD = new Criticality(0, 'Standard');
  /** May be refused when the pool is full. Priority -100. */
  public static readonly SHEDDABLE = new Criticality(-100, 'Sheddable');

  /**
   * Any other level.
   *
   * @param priority a 32-bit integer; below zero the requests are sheddable
   * @throws AIG460 when it is not
   */
  public static priority(priority: number): Criticality {
    if (!Number.isInteger(priority) || priority < LOWEST || priority > HIGHEST) {
      refuse(undefined, {
        code: 'AIG460',
        what: 'a priority is a 32-bit integer',
        value: priority,
        allowed: `${LOWEST} to ${HIGHEST}`,
        fix: 'use Criticality.CRITICAL (100), STANDARD (0), SHEDDABLE (-100) or a number beside them',
      });
    }
    return new Criticality(priority, priority > 0 ? 'Critical' : priority === 0 ? 'Standard' : 'Sheddable');
  }

  private constructor(
    /** Higher is served first. */
    public readonly value: number,
    /** The nearest level that the InferenceModel kind of older API generations can express. */
    public readonly level: string,
  ) {}
}
