import { ConfigCode } from '../../../picker-config/codes';
import type { Clock } from '../../../shared/clock';
import type { EndpointSnapshot } from '../interface/endpoint-snapshot';
import type { Producer } from '../interface/plugins';
import type { SchedulingRequest } from '../interface/scheduling-request';
import type { PluginParameters } from '../plugin-parameters';
import { SessionIdProducer } from './producer/session-id-producer/session-id-producer';

/** What both session plugins ask: which endpoint the request's session belongs to. */
export interface SessionAffinity extends Producer {
  /** Slot of the prepared request's session; -1 where there is none. */
  readonly boundSlot: number;
}

const STRATEGIES = ['encoded_endpoint_header', 'session_id'] as const;

/**
 * The parameters that session-affinity-scorer and session-affinity-filter of llm-d-router v0.10 share: `strategy`, `profileName`, and an
 * object of settings for each strategy. `profileName` has no effect, because one profile runs for a request.
 */
export function sessionAffinity(parameters: PluginParameters, clock: Clock): SessionAffinity {
  const strategy = parameters.oneOf('strategy', STRATEGIES, 'encoded_endpoint_header');
  parameters.text('profileName', undefined);
  const encoded = parameters.section('encodedEndpointHeaderConfig');
  const byId = parameters.section('sessionIdConfig');
  const header = encoded.text('header', 'x-session-token').toLowerCase();
  encoded.done();
  const ttlMs = 1e3 * byId.number('evictionTtlSeconds', 300, { min: 0.001 });
  byId.number('evictionSweepSeconds', 10, { min: 0.001 });
  const headers = sources(byId);
  byId.done();
  parameters.done();
  return strategy === 'session_id'
    ? new SessionIdProducer({ headers, cookie: undefined, maxSessions: 1 << 16, ttlMs }, clock)
    : new EncodedEndpointHeader(header);
}

/**
 * The session's endpoint is in the request itself: base64 of `namespace/name`. The answer carries the token of the endpoint that was chosen,
 * for the client to send with the next request.
 */
export class EncodedEndpointHeader implements SessionAffinity {
  public boundSlot = -1;
  /** Slots by token, for the endpoints of one snapshot. */
  private slots = new Map<string, number>();
  private tokens: string[] = [];
  private endpoints: EndpointSnapshot['endpoints'] | undefined;

  public constructor(private readonly header: string) {}

  public prepare(request: SchedulingRequest, snapshot: EndpointSnapshot): void {
    if (snapshot.endpoints !== this.endpoints) this.follow(snapshot);
    const token = request.header(this.header);
    this.boundSlot = token === undefined ? -1 : (this.slots.get(token) ?? -1);
  }

  public picked(): void {
    // the client remembers
  }

  public answerHeaders(_snapshot: EndpointSnapshot, slot: number): readonly string[] {
    return [this.header, this.tokens[slot]!];
  }

  private follow({ endpoints }: EndpointSnapshot): void {
    this.endpoints = endpoints;
    this.tokens = endpoints.map((endpoint) =>
      endpoint === undefined ? '' : Buffer.from(`${endpoint.namespace ?? ''}/${endpoint.name}`).toString('base64'),
    );
    // of several endpoints of one pod the first; its ports share an engine's host, not its cache
    this.slots = new Map([...this.tokens.entries()].reverse().map(([slot, token]) => [token, slot]));
    this.slots.delete('');
  }
}

function sources(parameters: PluginParameters): string[] {
  const given = parameters.value('sources');
  if (given === undefined) return ['x-session-id'];
  const headers = Array.isArray(given) ? given.map((source: unknown) => headerOf(source)) : [undefined];
  if (headers.length > 0 && headers.every((header) => header !== undefined)) return headers;
  parameters.fault('sources', {
    code: ConfigCode.BAD_VALUE,
    what: "parameter 'sources' has a wrong value",
    value: given,
    allowed: 'a list of {header: name}; this picker has no request attributes',
    fix: 'name the headers that carry the session',
  });
  return [];
}

function headerOf(source: unknown): string | undefined {
  if (typeof source !== 'object' || source === null || Object.keys(source).join() !== 'header') return undefined;
  const { header } = source as { header: unknown };
  return typeof header === 'string' && header !== '' ? header.toLowerCase() : undefined;
}
