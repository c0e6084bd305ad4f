import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import { adapterHash, MAX_ADAPTERS } from '../../../interface/endpoint-table';
import type { Scorer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';

const RUNNING_SCORE = 1;
const ROOM_SCORE = 0.8;
const WAITING_SCORE = 0.6;

/**
 * `lora-affinity-scorer`: prefers endpoints that have the request's adapter loaded: in use 1, room for one more adapter 0.8, adapter
 * waiting to be loaded 0.6, otherwise 0.
 * Formula: llm-d-router v0.10, `scheduling/scorer/loraaffinity`. No parameters.
 */
export class LoraAffinityScorer implements Scorer {
  public static readonly TYPE = 'lora-affinity-scorer';
  public readonly usesMetrics = true;
  private readonly wanted = { low: 0, high: 0 };

  public static fromParameters(parameters: PluginParameters): LoraAffinityScorer {
    parameters.done();
    return new LoraAffinityScorer();
  }

  public score(
    request: SchedulingRequest,
    { table }: EndpointSnapshot,
    candidates: Int32Array,
    count: number,
    weight: number,
    totals: Float64Array,
  ): void {
    adapterHash(request.targetModel, this.wanted);
    const { low, high } = this.wanted;
    const { adapters, runningAdapters, waitingAdapters, maxAdapters } = table;
    for (let k = 0; k < count; k++) {
      const slot = candidates[k]!;
      const running = runningAdapters[slot]!;
      const known = running + waitingAdapters[slot]!;
      const first = slot * MAX_ADAPTERS * 2;
      let found = 0;
      while (found < known && !(adapters[first + 2 * found] === low && adapters[first + 2 * found + 1] === high)) found++;
      const score = found < running ? RUNNING_SCORE : known < maxAdapters[slot]! ? ROOM_SCORE : found < known ? WAITING_SCORE : 0;
      totals[k] = totals[k]! + weight * score;
    }
  }
}
