import type { EndpointSnapshot } from '../scheduling/interface/endpoint-snapshot';
import type { Exposition } from './exposition';

/** The pool group of llm-d's metrics, from the snapshot in force when the page is read. */
export function writePoolMetrics(out: Exposition, poolName: string, snapshot: EndpointSnapshot): void {
  const { table, ready } = snapshot;
  const pool = ['name', poolName];
  const gauges = [
    ['kv_cache_utilization', 'KV cache utilization of the ready endpoints', table.kvUsageRatio],
    ['queue_size', 'queue length of the ready endpoints', table.waiting],
    ['running_requests', 'running requests of the ready endpoints', table.running],
  ] as const;
  for (const [suffix, words, column] of gauges) {
    const { mean, deviation } = spread(column, ready);
    out.family(`llm_d_epp_average_${suffix}`, 'gauge', `Mean ${words}.`);
    out.sample(`llm_d_epp_average_${suffix}`, pool, mean);
    out.family(`llm_d_epp_std_dev_${suffix}`, 'gauge', `Standard deviation of the ${words}.`);
    out.sample(`llm_d_epp_std_dev_${suffix}`, pool, deviation);
  }
  out.family('llm_d_epp_ready_endpoints', 'gauge', 'Ready endpoints of the pool.');
  out.sample('llm_d_epp_ready_endpoints', pool, ready.length);
  out.family('llm_d_epp_per_endpoint_queue_size', 'gauge', 'Queue length of an endpoint, as it reported.');
  for (const slot of ready) {
    const { name } = snapshot.endpoints[slot]!;
    out.sample('llm_d_epp_per_endpoint_queue_size', ['model_server_endpoint', name, ...pool], table.waiting[slot]!);
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
