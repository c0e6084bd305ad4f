import type { ConfigNode } from './config-node';
import {
  BAND_FAIRNESS,
  BAND_ORDERING,
  DEFAULT_BAND,
  DEFAULT_PRIORITIES,
  defaultCeiling,
  EVICTED,
  type PolicyBand,
  type PolicyPriorities,
  type PolicyTenant,
} from './picker-policy';
import { all, DNS_LABEL, given, NOT_EMPTY } from './policy-forms';

/** What Kubernetes allows. */
export const PRIORITY_BOUNDS = { min: -2_147_483_648, max: 2_147_483_647 };

export function readPriorities(node: ConfigNode | undefined): PolicyPriorities | undefined {
  const fields = node?.fields(['bands', 'tenants', 'maxRequests', 'maxBytes', 'waitingRoom', 'saturation', 'evicts']);
  if (fields === undefined) return undefined;
  const byDefault = DEFAULT_PRIORITIES;
  const room = fields.get('waitingRoom')?.fields(['maxRequests', 'queueSeconds']);
  const saturation = fields.get('saturation')?.fields(['queueDepth', 'kvCacheUsage']);
  return {
    bands: all(fields.get('bands'), readBand),
    tenants: all(fields.get('tenants'), readTenant),
    maxRequests: fields.get('maxRequests')?.quantity() ?? byDefault.maxRequests,
    maxBytes: fields.get('maxBytes')?.quantity() ?? byDefault.maxBytes,
    waitingRoom: {
      maxRequests: room?.get('maxRequests')?.quantity() ?? byDefault.waitingRoom.maxRequests,
      queueSeconds: room?.get('queueSeconds')?.number({ min: 0 }) ?? byDefault.waitingRoom.queueSeconds,
    },
    saturation: {
      queueDepth: saturation?.get('queueDepth')?.number({ min: 0.1 }) ?? byDefault.saturation.queueDepth,
      kvCacheUsage: saturation?.get('kvCacheUsage')?.number({ min: 0.01, max: 1 }) ?? byDefault.saturation.kvCacheUsage,
    },
    ...given('evicts', fields.get('evicts')?.oneOf(EVICTED)),
  };
}

function readBand(node: ConfigNode): PolicyBand | undefined {
  const fields = node.fields([
    ...['name', 'priority', 'maxRequests', 'maxBytes', 'queueSeconds', 'fairness', 'ordering', 'ceiling'],
  ]);
  const name = fields?.required('name', 'give the band a name')?.text(DNS_LABEL);
  const priority = fields?.required('priority', 'say which priority it is for')?.integer(PRIORITY_BOUNDS);
  if (fields === undefined || name === undefined || priority === undefined) return undefined;
  return {
    name,
    priority,
    maxRequests: fields.get('maxRequests')?.quantity() ?? DEFAULT_BAND.maxRequests,
    maxBytes: fields.get('maxBytes')?.quantity() ?? DEFAULT_BAND.maxBytes,
    queueSeconds: fields.get('queueSeconds')?.number({ min: 0 }) ?? DEFAULT_BAND.queueSeconds,
    fairness: fields.get('fairness')?.oneOf(BAND_FAIRNESS) ?? DEFAULT_BAND.fairness,
    ordering: fields.get('ordering')?.oneOf(BAND_ORDERING) ?? DEFAULT_BAND.ordering,
    ceiling: fields.get('ceiling')?.number({ min: 0.1, max: 1 }) ?? defaultCeiling(priority),
  };
}

function readTenant(node: ConfigNode): PolicyTenant | undefined {
  const fields = node.fields(['name', 'priority']);
  const name = fields?.required('name', 'name the tenant, or the client without one')?.text(NOT_EMPTY);
  const priority = fields?.required('priority', 'say which priority its requests have')?.integer(PRIORITY_BOUNDS);
  return name === undefined || priority === undefined ? undefined : { name, priority };
}
