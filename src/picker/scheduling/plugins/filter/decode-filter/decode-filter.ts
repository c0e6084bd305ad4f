import type { PluginParameters } from '../../../plugin-parameters';
import { RoleFilter } from '../role-filter';

/** `decode-filter`: keeps the endpoints that decode, by their role, and those without one. No parameters. */
export class DecodeFilter extends RoleFilter {
  public static readonly TYPE = 'decode-filter';

  public constructor() {
    super(['decode', 'prefill-decode', 'both', 'encode-prefill-decode'], true);
  }

  public static fromParameters(parameters: PluginParameters): DecodeFilter {
    parameters.done();
    return new DecodeFilter();
  }
}
