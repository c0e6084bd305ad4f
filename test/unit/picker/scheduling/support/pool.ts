import { EndpointStore } from '../../../../../src/picker/datastore/endpoint-store';
import { type Endpoint, formatHostPort } from '../../../../../src/picker/scheduling/interface/endpoint-snapshot';
import type { SchedulingRequest } from '../../../../../src/picker/scheduling/interface/scheduling-request';

export interface PoolMember {
  readonly address?: string;
  readonly port?: number;
  readonly ready?: boolean;
  readonly labels?: Record<string, string>;
  readonly waiting?: number;
  readonly running?: number;
  readonly kv?: number;
  readonly updatedAtMs?: number;
}

export function endpoint(i: number, member: PoolMember = {}): Endpoint {
  const { address = `10.0.${i >> 8}.${i & 255}`, port = 8000, ready = true, labels = {} } = member;
  return { name: `engine-${i}`, address, port, ready, labels, hostPort: formatHostPort(address, port) };
}

/** A store with these endpoints in slots 0, 1, 2, …, whose metrics are fresh at time 1 unless said otherwise. */
export function poolOf(...members: PoolMember[]): EndpointStore {
  const store = new EndpointStore();
  store.replaceAll(members.map((member, i) => endpoint(i, member)));
  const { table } = store.snapshot;
  members.forEach(({ waiting = 0, running = 0, kv = 0, updatedAtMs = 1 }, slot) => {
    table.waiting[slot] = waiting;
    table.running[slot] = running;
    table.kvUsageRatio[slot] = kv;
    table.updatedAtMs[slot] = updatedAtMs;
    table.scrapeIntervalMs[slot] = 50;
    table.trustRatio[slot] = updatedAtMs === 0 ? 0 : 1;
  });
  return store;
}

export function requestFor(prompt = '', extra: Partial<SchedulingRequest> = {}): SchedulingRequest {
  const body = Buffer.from(prompt);
  return {
    model: 'llama',
    targetModel: 'llama',
    body,
    promptStart: 0,
    promptEnd: body.length,
    cacheSalt: undefined,
    subset: undefined,
    maxTokens: -1,
    header: () => undefined,
    ...extra,
  };
}

/** The scores that a scorer gives to all ready endpoints. */
export function scoresOf(
  scorer: import('../../../../../src/picker/scheduling/interface/plugins').Scorer,
  store: EndpointStore,
  request = requestFor(),
  weight = 1,
): number[] {
  const { ready } = store.snapshot;
  const totals = new Float64Array(ready.length);
  scorer.score(request, store.snapshot, ready, ready.length, weight, totals);
  return [...totals];
}
