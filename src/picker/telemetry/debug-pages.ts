import type { Clock } from '../../shared/clock';
import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import type { DecisionLog } from './decision-log';

/** /debug/endpoints: what the scheduler knows of every endpoint, as JSON. */
export function endpointsPage(source: EndpointSource, clock: Clock): string {
  const { snapshot } = source;
  const { table } = snapshot;
  const nowMs = clock.nowMs();
  const endpoints = snapshot.endpoints.flatMap((endpoint, slot) => {
    if (endpoint === undefined) return [];
    const updatedAtMs = table.updatedAtMs[slot]!;
    return [
      {
        ...endpoint,
        slot,
        waiting: table.waiting[slot]!,
        running: table.running[slot]!,
        kvUsageRatio: table.kvUsageRatio[slot]!,
        kvBlocks: table.kvBlocks[slot]!,
        blockSizeTokens: table.blockSizeTokens[slot]!,
        inFlight: table.inFlight[slot]!,
        prefillTokens: table.prefillTokens[slot]!,
        promptTokensInFlight: table.promptTokensInFlight[slot]!,
        outputTokensInFlight: table.outputTokensInFlight[slot]!,
        slownessRatio: table.slownessRatio[slot]!,
        trustRatio: table.trustRatio[slot]!,
        reportAgeMs: updatedAtMs === 0 ? null : Math.round(nowMs - updatedAtMs),
        scrapes: table.scrapes[slot]!,
        scrapeFailures: table.scrapeFailures[slot]!,
      },
    ];
  });
  return `${JSON.stringify({ version: snapshot.version, endpoints }, undefined, 2)}\n`;
}

/** /debug/decisions: the last decisions, newest first, as JSON. Reading it turns explanations on for a minute. */
export function decisionsPage(log: DecisionLog, clock: Clock): string {
  log.arm(clock.nowMs());
  const decisions = log.list().map(({ atMs, ...rest }) => ({ at: new Date(atMs).toISOString(), ...rest }));
  return `${JSON.stringify({ decisions }, undefined, 2)}\n`;
}
