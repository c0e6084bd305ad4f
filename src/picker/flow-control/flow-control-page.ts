import type { FlowControl } from './flow-control';

/** Flows that are shown of one band: those with most requests in the queue. */
const SHOWN_FLOWS = 100;

/** /debug/flow-control: what waits where, and why, as JSON. */
export function flowControlPage<T>(flow: FlowControl<T> | undefined, nowMs: number): string {
  if (flow === undefined) return shown({ enabled: false });
  const { queues, maxRequests, maxBytes } = flow.limits;
  const pools = [...flow.allLines()].map((line) => ({
    name: line.name,
    saturation: rounded(line.saturation(nowMs)),
    readyEndpoints: line.source.snapshot.ready.length,
    queued: line.queued,
    bands: line.bands.map((band) => ({
      name: band.settings.name,
      priority: band.settings.priority,
      fairness: band.settings.fairness,
      ordering: band.settings.ordering,
      ceiling: line.ceilingOf(band, nowMs),
      isHeld: band.isClosed,
      queued: band.queued,
      queuedBytes: band.queuedBytes,
      maxRequests: band.settings.maxRequests,
      maxBytes: band.settings.maxBytes,
      retryMs: Math.round(line.retryMs(band, nowMs)),
      flows: [...band.active()]
        .sort((a, b) => b.queue.size - a.queue.size || b.running - a.running)
        .slice(0, SHOWN_FLOWS)
        .map(({ key, queue, running, service }) => ({
          tenant: key,
          queued: queue.size,
          running,
          attainedTokens: Math.round(service),
          longestWaitMs: Math.round(Math.max(0, ...queue.values().map(({ enqueuedMs }) => nowMs - enqueuedMs))),
        })),
    })),
  }));
  const limits = { maxRequests: Number.isFinite(maxRequests) ? maxRequests : null, maxBytes };
  return shown({ enabled: queues, queued: flow.queued, queuedBytes: flow.queuedBytes, ...limits, pools });
}

function rounded(value: number): number {
  return Math.round(value * 1e3) / 1e3;
}

function shown(page: object): string {
  return `${JSON.stringify(page, undefined, 2)}\n`;
}
