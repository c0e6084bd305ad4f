import type { ProfileFault, ProfileHandler } from '../../../interface/plugins';
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

  public check(profileNames: readonly string[]): ProfileFault | undefined {
    if (profileNames.length === 1) return undefined;
    return {
      what: `${SingleProfileHandler.TYPE} cannot choose among ${profileNames.length} profiles`,
      allowed: 'exactly one profile',
    };
  }

  public choose(): number {
    return 0;
  }
}
