import type { PluginParameters } from '../../../plugin-parameters';
import { RoleFilter } from '../role-filter';

/** `prefill-filter`: keeps the endpoints that prefill, by their role. No parameters. */
export class PrefillFilter extends RoleFilter {
  public static readonly TYPE = 'prefill-filter';

  public constructor() {
    super(['prefill', 'prefill-decode', 'both', 'encode-prefill', 'encode-prefill-decode'], false);
  }

  public static fromParameters(parameters: PluginParameters): PrefillFilter {
    parameters.done();
    return new PrefillFilter();
  }
}
