import {
  DEFAULT_BAND,
  DEFAULT_PRIORITIES,
  defaultCeiling,
  type PickerPolicy,
  type PolicyBand,
  type PolicyPriorities,
} from '../../picker-config/picker-policy';
import { LoadSaturation } from './load-saturation';
import type { BandSettings, FlowControlSettings } from './settings';

/** What a policy says of priorities; undefined when it ranks nobody, so that there is nothing to do. */
export function policyFlowControl({ priorities, models }: PickerPolicy): FlowControlSettings | undefined {
  const ranks = models.map(({ priority }) => priority);
  if (priorities === undefined && ranks.every((priority) => priority === 0)) return undefined;
  const { bands, maxRequests, maxBytes, waitingRoom, saturation, tenants, evicts } = priorities ?? DEFAULT_PRIORITIES;
  const listed = new Map(bands.map((band) => [band.priority, settingsOf(band, evicts)]));
  const bandFor = (priority: number): BandSettings =>
    listed.get(priority) ??
    settingsOf({ ...DEFAULT_BAND, name: `priority-${priority}`, priority, ceiling: defaultCeiling(priority) }, evicts);
  const wanted = new Set([...listed.keys(), ...ranks, ...tenants.map(({ priority }) => priority)]);
  return {
    queues: true,
    bands: [...wanted].sort((a, b) => b - a).map(bandFor),
    bandFor,
    maxRequests,
    maxBytes,
    waitingRoom: { maxRequests: waitingRoom.maxRequests, queueMs: waitingRoom.queueSeconds * 1e3 },
    saturation: new LoadSaturation(saturation.queueDepth, saturation.kvCacheUsage),
  };
}

/** Priorities of tenants, by name. */
export function tenantPriorities({ priorities }: PickerPolicy): ReadonlyMap<string, number> {
  return new Map(priorities?.tenants.map(({ name, priority }) => [name, priority]));
}

function settingsOf({ queueSeconds, ceiling, ...band }: PolicyBand, evicted: PolicyPriorities['evicts']): BandSettings {
  const evicts = band.priority >= 0 || evicted === undefined || evicted === 'queued' ? 'none' : evicted;
  return { ...band, queueMs: queueSeconds * 1e3, ceiling: 1, busyCeiling: ceiling, evicts };
}
