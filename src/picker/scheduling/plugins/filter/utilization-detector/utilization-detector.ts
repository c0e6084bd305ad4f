import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Filter } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { duration } from '../../producer/session-id-producer/session-id-producer';

/**
 * `utilization-detector` in a scheduling profile: removes endpoints with `queueDepthThreshold · (1 + headroom)` waiting requests or more, or a
 * KV cache filled to `kvCacheUtilThreshold · (1 + headroom)` or more; all stay where none would. Endpoints without a fresh report stay too:
 * silence is no sign of load (see `trust.ts`; llm-d takes it for saturation after 200 ms).
 * As llm-d-router v0.10, `flowcontrol/saturationdetector/utilization`. Parameters: `queueDepthThreshold` 5, `kvCacheUtilThreshold` 0.8,
 * `headroom` 0, and `metricsStalenessThreshold`, which has no effect.
 */
export class UtilizationDetector implements Filter {
  public static readonly TYPE = 'utilization-detector';

  public constructor(
    private readonly maxWaiting: number,
    private readonly maxKvUsageRatio: number,
  ) {}

  public static fromParameters(parameters: PluginParameters): UtilizationDetector {
    const headroom = parameters.number('headroom', 0, { min: 0 });
    const maxWaiting = parameters.integer('queueDepthThreshold', 5, { min: 1 }) * (1 + headroom);
    const maxKvUsageRatio = parameters.number('kvCacheUtilThreshold', 0.8, { min: 0.001, max: 1 }) * (1 + headroom);
    duration(parameters, 'metricsStalenessThreshold', 0);
    parameters.done();
    return new UtilizationDetector(maxWaiting, maxKvUsageRatio);
  }

  public filter(_request: SchedulingRequest, snapshot: EndpointSnapshot, candidates: Int32Array, count: number): number {
    const { waiting, kvUsageRatio } = snapshot.table;
    let fitting = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (waiting[slot]! < this.maxWaiting && kvUsageRatio[slot]! < this.maxKvUsageRatio) fitting++;
    }
    if (fitting === 0 || fitting === count) return count;
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      if (waiting[slot]! < this.maxWaiting && kvUsageRatio[slot]! < this.maxKvUsageRatio) candidates[kept++] = slot;
    }
    return kept;
  }
}
