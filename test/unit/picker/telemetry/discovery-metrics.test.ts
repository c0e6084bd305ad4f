import { SourceState } from '../../../../src/picker/discovery/source-state';
import { writeDiscoveryMetrics } from '../../../../src/picker/telemetry/discovery-metrics';
import { Exposition } from '../../../../src/picker/telemetry/exposition';
import { ManualClock } from '../../../../src/shared/clock';

test('sources tell whether they are known, and for how long they have not been', () => {
  const clock = new ManualClock();
  const good = new SourceState('file e.yaml', clock);
  const lost = new SourceState('pods ai app=llama', clock);
  for (const state of [good, lost]) {
    state.synced();
    state.followed();
  }
  lost.failed('connect ECONNREFUSED');
  clock.advance(90_000);
  lost.failed('connect ECONNREFUSED');
  const out = new Exposition();
  writeDiscoveryMetrics(out, [good.status, lost.status]);
  const page = out.take();
  for (const line of [
    'aig_picker_discovery_synced{source="pods ai app=llama"} 1',
    'aig_picker_discovery_current{source="file e.yaml"} 1',
    'aig_picker_discovery_current{source="pods ai app=llama"} 0',
    'aig_picker_discovery_stale_seconds{source="file e.yaml"} 0',
    'aig_picker_discovery_stale_seconds{source="pods ai app=llama"} 90',
    'aig_picker_discovery_failures_total{source="pods ai app=llama"} 2',
  ]) {
    expect(page).toContain(`${line}\n`);
  }
  expect(page.match(/# TYPE/g)).toHaveLength(4);
});
