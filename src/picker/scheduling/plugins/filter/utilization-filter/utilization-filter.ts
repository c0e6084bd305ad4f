import { ConfigCode } from '../../../../../picker-config/codes';
import { inFlightAt } from '../../../flight-book';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { EndpointTable } from '../../../interface/endpoint-table';
import type { Filter } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';

export interface UtilizationCondition {
  readonly read: (table: EndpointTable, slot: number) => number;
  readonly maxValue: number;
}

const METRICS: ReadonlyMap<string, UtilizationCondition['read']> = new Map<string, UtilizationCondition['read']>([
  ['active-requests', inFlightAt],
  ['running-requests', (table, slot) => table.running[slot]!],
  ['waiting-queue', (table, slot) => table.waiting[slot]!],
  ['kv-cache-utilization', (table, slot) => table.kvUsageRatio[slot]!],
]);

/**
 * `utilization-filter`: removes endpoints of which any measure is above its bound; with `fallbackOnEmpty` all stay where none would.
 * As llm-d-router v0.10, `scheduling/filter/utilization`. Parameters: `conditions`, a list of `{metric, maxValue}` with the metrics
 * `active-requests` (of this picker), `running-requests`, `waiting-queue`, `kv-cache-utilization` (0 to 1); `fallbackOnEmpty` false.
 */
export class UtilizationFilter implements Filter {
  public static readonly TYPE = 'utilization-filter';

  public constructor(
    private readonly conditions: readonly UtilizationCondition[],
    private readonly fallbackOnEmpty: boolean,
  ) {}

  public static fromParameters(parameters: PluginParameters): UtilizationFilter {
    const fallbackOnEmpty = parameters.boolean('fallbackOnEmpty', false);
    const given = parameters.value('conditions');
    const conditions = Array.isArray(given) ? given.map((condition: unknown) => asCondition(condition)) : [];
    if (conditions.length === 0 || conditions.includes(undefined)) {
      parameters.fault('conditions', {
        code: given === undefined ? ConfigCode.MISSING_KEY : ConfigCode.BAD_VALUE,
        what: "plugin type 'utilization-filter' has no usable conditions",
        value: given,
        allowed: `a list of {metric: ${[...METRICS.keys()].join('|')}, maxValue: number}`,
        fix: 'give one condition or more',
      });
    }
    parameters.done();
    return new UtilizationFilter(
      conditions.flatMap((condition) => condition ?? []),
      fallbackOnEmpty,
    );
  }

  private fits(table: EndpointTable, slot: number): boolean {
    for (let i = 0; i < this.conditions.length; i++) {
      const { read, maxValue } = this.conditions[i]!;
      if (read(table, slot) > maxValue) return false;
    }
    return true;
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const { table } = snapshot;
    // counted first, because a list that was narrowed cannot be had back
    let fitting = 0;
    for (let k = 0; k < count; k++) if (this.fits(table, candidates[k]!)) fitting++;
    if (fitting === count || (fitting === 0 && this.fallbackOnEmpty)) return count;
    let kept = 0;
    for (let k = 0; k < count; k++) if (this.fits(table, candidates[k]!)) candidates[kept++] = candidates[k]!;
    return kept;
  }
}

function asCondition(given: unknown): UtilizationCondition | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { metric, maxValue, ...rest } = given as { metric?: unknown; maxValue?: unknown };
  const read = typeof metric === 'string' ? METRICS.get(metric) : undefined;
  if (read === undefined || typeof maxValue !== 'number' || Number.isNaN(maxValue) || Object.keys(rest).length > 0)
    return undefined;
  return { read, maxValue };
}
