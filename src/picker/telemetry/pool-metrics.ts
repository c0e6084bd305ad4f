import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import type { Exposition } from './exposition';

/** A pool whose endpoints are measured. */
export interface MeasuredPool {
  readonly name: string;
  readonly endpoints: EndpointSource;
}

const GAUGES = [
  ['kv_cache_utilization', 'KV cache utilization of the ready endpoints', 'kvUsageRatio'],
  ['queue_size', 'queue length of the ready endpoints', 'waiting'],
  ['running_requests', 'running requests of the ready endpoints', 'running'],
] as const;

/** The pool group of llm-d's metrics, from the snapshots in force when the page is read. */
export function writePoolMetrics(out: Exposition, pools: readonly MeasuredPool[]): void {
  for (const [suffix, words, column] of GAUGES) {
    const spreads = pools.map(({ endpoints: { snapshot } }) => spread(snapshot.table[column], snapshot.ready));
    out.family(`llm_d_epp_average_${suffix}`, 'gauge', `Mean ${words}.`);
    pools.forEach(({ name }, index) => {
      out.sample(`llm_d_epp_average_${suffix}`, ['name', name], spreads[index]!.mean);
    });
    out.family(`llm_d_epp_std_dev_${suffix}`, 'gauge', `Standard deviation of the ${words}.`);
    pools.forEach(({ name }, index) => {
      out.sample(`llm_d_epp_std_dev_${suffix}`, ['name', name], spreads[index]!.deviation);
    });
  }
  out.family('llm_d_epp_ready_endpoints', 'gauge', 'Ready endpoints of the pool.');
  for (const { name, endpoints } of pools)
    out.sample('llm_d_epp_ready_endpoints', ['name', name], endpoints.snapshot.ready.length);
  out.family('llm_d_epp_per_endpoint_queue_size', 'gauge', 'Queue length of an endpoint, as it reported.');
  for (const pool of pools) {
    const { table, ready, endpoints } = pool.endpoints.snapshot;
    for (const slot of ready) {
      const labels = ['model_server_endpoint', endpoints[slot]!.name, 'name', pool.name];
      out.sample('llm_d_epp_per_endpoint_queue_size', labels, table.waiting[slot]!);
    }
  }
}

function spread(column: Float64Array, slots: Int32Array): { mean: number; deviation: number } {
  if (slots.length === 0) return { mean: 0, deviation: 0 };
  let sum = 0;
  for (const slot of slots) sum += column[slot]!;
  const mean = sum / slots.length;
  let squares = 0;
  for (const slot of slots) squares += (column[slot]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / slots.length) };
}
