import type { PluginParameters } from '../../../plugin-parameters';
import { RoleFilter } from '../role-filter';

/** `encode-filter`: keeps the endpoints that encode, by their role. No parameters. */
export class EncodeFilter extends RoleFilter {
  public static readonly TYPE = 'encode-filter';

  public constructor() {
    super(['encode', 'encode-prefill', 'encode-prefill-decode'], false);
  }

  public static fromParameters(parameters: PluginParameters): EncodeFilter {
    parameters.done();
    return new EncodeFilter();
  }
}
