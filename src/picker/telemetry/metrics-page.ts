import { Exposition } from './exposition';
import { type MeasuredPool, writePoolMetrics } from './pool-metrics';
import type { RequestMetrics } from './request-metrics';
import type { SchedulerMetrics } from './scheduler-metrics';

/** What /metrics shows. */
export interface MetricsSources {
  readonly pools: readonly MeasuredPool[];
  readonly version: string;
  readonly requests: RequestMetrics;
  readonly scheduler: SchedulerMetrics;
  /** Further groups, each written at once. */
  readonly others: readonly ((out: Exposition) => void)[];
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The page in pieces of a few milliseconds at most, with llm-d's canonical names (`llm_d_epp_*`). */
export function* metricsPage(sources: MetricsSources): Generator<string> {
  const out = new Exposition();
  out.family('llm_d_epp_info', 'gauge', 'The picker that is running.');
  out.sample('llm_d_epp_info', ['build_ref', sources.version, 'commit', ''], 1);
  writePoolMetrics(out, sources.pools);
  sources.scheduler.write(out);
  for (const write of sources.others) write(out);
  yield out.take();
  for (const _ of sources.requests.write(out)) yield out.take();
}
