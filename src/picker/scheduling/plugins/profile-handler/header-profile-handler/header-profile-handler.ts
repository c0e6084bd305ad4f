import type { ProfileFault, ProfileHandler } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `header-profile-handler`: runs the profile that a request header names; the default profile where the header is absent or empty, and
 * always the only one where there is one. A request that names another profile is refused with 400.
 * As llm-d-router v0.10, `scheduling/profilehandler/headerprofile` (which answers 429 there). Parameters: `headerName` `EPP-Profile`,
 * `defaultProfile` `decode`.
 */
export class HeaderProfileHandler implements ProfileHandler {
  public static readonly TYPE = 'header-profile-handler';

  public constructor(
    private readonly header: string,
    private readonly defaultProfile: string,
  ) {}

  public static fromParameters(parameters: PluginParameters): HeaderProfileHandler {
    const header = parameters.text('headerName', 'EPP-Profile').toLowerCase();
    const defaultProfile = parameters.text('defaultProfile', 'decode');
    parameters.done();
    return new HeaderProfileHandler(header, defaultProfile);
  }

  public check(profileNames: readonly string[]): ProfileFault | undefined {
    if (profileNames.length === 1 || profileNames.includes(this.defaultProfile)) return undefined;
    return {
      what: `${HeaderProfileHandler.TYPE} finds no profile '${this.defaultProfile}' for requests without the header`,
      allowed: 'one profile, or several of which one is the defaultProfile',
    };
  }

  public choose(request: SchedulingRequest, profileNames: readonly string[]): number {
    if (profileNames.length === 1) return 0;
    return profileNames.indexOf(request.header(this.header) || this.defaultProfile);
  }
}
