import type { ProfileHandler } from '../../../interface/plugins';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `single-profile-handler`: runs the one profile that there is.
 * As llm-d-router v0.10, `scheduling/profilehandler/single`. No parameters.
 */
export class SingleProfileHandler implements ProfileHandler {
  public static readonly TYPE = 'single-profile-handler';

  public static fromParameters(parameters: PluginParameters): SingleProfileHandler {
    parameters.done();
    return new SingleProfileHandler();
  }

  public choose(profileNames: readonly string[]): number | { readonly what: string; readonly allowed: string } {
    if (profileNames.length === 1) return 0;
    return {
      what: `${SingleProfileHandler.TYPE} cannot choose among ${profileNames.length} profiles`,
      allowed: 'exactly one profile',
    };
  }
}
