import type { PluginParameters } from '../../../plugin-parameters';
import { DEFAULT_TRUST, type TrustOptions } from '../../../trust';

/** `report-trust`: how long the reports of engines are believed (`trust.ts`). Parameters: those of `TrustOptions`. */
export const ReportTrust = {
  TYPE: 'report-trust',
  fromParameters(parameters: PluginParameters): { readonly trust: TrustOptions } {
    const fallback = DEFAULT_TRUST;
    const trust = {
      graceMs: parameters.number('graceMs', fallback.graceMs, { min: 0, max: 600_000 }),
      graceIntervals: parameters.number('graceIntervals', fallback.graceIntervals, { min: 0, max: 1_000 }),
      halfLifeMs: parameters.number('halfLifeMs', fallback.halfLifeMs, { min: 100, max: 600_000 }),
    };
    parameters.done();
    return { trust };
  },
} as const;
