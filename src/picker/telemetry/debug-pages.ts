import type { Clock } from '../../shared/clock';
import type { PeerExchange } from '../peers/peer-exchange';
import type { EndpointSource } from '../scheduling/interface/endpoint-snapshot';
import type { DecisionLog, LoggedDecision } from './decision-log';

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
        gpuUsageRatio: table.gpuUpdatedAtMs[slot] === 0 ? null : table.gpuUsageRatio[slot]!,
        blockSizeTokens: table.blockSizeTokens[slot]!,
        inFlight: table.inFlight[slot]!,
        peerInFlight: table.peerInFlight[slot]!,
        prefillTokens: table.prefillTokens[slot]!,
        promptTokensInFlight: table.promptTokensInFlight[slot]!,
        outputTokensInFlight: table.outputTokensInFlight[slot]!,
        slownessRatio: table.slownessRatio[slot]!,
        atOnce: table.atOnce[slot]!,
        trustRatio: table.trustRatio[slot]!,
        reportAgeMs: updatedAtMs === 0 ? null : Math.round(nowMs - updatedAtMs),
        scrapes: table.scrapes[slot]!,
        scrapeFailures: table.scrapeFailures[slot]!,
      },
    ];
  });
  return `${JSON.stringify({ version: snapshot.version, endpoints }, undefined, 2)}\n`;
}

/** /debug/peers: which replicas are told and heard, as JSON. */
export function peersPage({ id, clients, counts, traffic }: PeerExchange, clock: Clock): string {
  const nowMs = clock.nowMs();
  const telling = [...clients].map(([address, { state, peerId, lastFailure }]) => ({ address, state, peerId, lastFailure }));
  const hearing = [...counts.peers].map(([peerId, state]) => ({
    peerId,
    silentMs: Math.round(nowMs - state.heardAtMs),
    endpoints: state.counts.size,
    inFlight: [...state.counts.values()].reduce((sum, { inFlight }) => sum + inFlight, 0),
  }));
  const page = { id: id.toString('hex'), telling, hearing, refusals: Object.fromEntries(traffic.refusals) };
  return `${JSON.stringify(page, undefined, 2)}\n`;
}

/** /debug/decisions: the last decisions, newest first, as JSON. Reading it turns explanations on for a minute. */
export function decisionsPage(log: DecisionLog, clock: Clock): string {
  log.arm(clock.nowMs());
  return `${JSON.stringify({ decisions: log.list().map(shown) }, undefined, 2)}\n`;
}

/** /debug/decisions/<x-request-id>: one of them; undefined for none. */
export function decisionPage(log: DecisionLog, requestId: string, clock: Clock): string | undefined {
  log.arm(clock.nowMs());
  const decision = log.find(requestId);
  return decision === undefined ? undefined : `${JSON.stringify(shown(decision), undefined, 2)}\n`;
}

function shown({ atMs, ...rest }: LoggedDecision): object {
  return { at: new Date(atMs).toISOString(), ...rest };
}
