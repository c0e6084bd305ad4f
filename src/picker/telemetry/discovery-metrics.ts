import type { SourceStatus } from '../discovery/endpoint-discovery';
import type { Exposition } from './exposition';

/** Where the endpoints come from, and how far that can be believed at this moment. */
export function writeDiscoveryMetrics(out: Exposition, statuses: readonly SourceStatus[]): void {
  const gauges = [
    ['synced', '1 once the source was read.', ({ isSynced }: SourceStatus) => Number(isSynced)],
    ['current', '1 while changes of the source are followed.', ({ isCurrent }: SourceStatus) => Number(isCurrent)],
    [
      'stale_seconds',
      'Time since the source was last known; 0 while it is followed.',
      (status: SourceStatus) => status.staleSeconds,
    ],
  ] as const;
  for (const [suffix, help, value] of gauges) {
    out.family(`aig_picker_discovery_${suffix}`, 'gauge', help);
    for (const status of statuses) out.sample(`aig_picker_discovery_${suffix}`, ['source', status.source], value(status));
  }
  out.family('aig_picker_discovery_failures_total', 'counter', 'Failures to read or follow the source.');
  for (const { source, failures } of statuses) out.sample('aig_picker_discovery_failures_total', ['source', source], failures);
}
