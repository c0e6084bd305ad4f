import { ConfigCode } from '../../../../../picker-config/codes';
import type { Clock } from '../../../../../shared/clock';
import type { EndpointSnapshot } from '../../../interface/endpoint-snapshot';
import type { Producer } from '../../../interface/plugins';
import type { SchedulingRequest } from '../../../interface/scheduling-request';
import type { PluginParameters } from '../../../plugin-parameters';
import { SessionBindings } from '../../../session-bindings';

export interface SessionIdOptions {
  /** Request headers that may hold the session's name; the first that is there counts. */
  readonly headers: readonly string[];
  /** Cookie that holds it instead. */
  readonly cookie: string | undefined;
  readonly maxSessions: number;
  readonly ttlMs: number;
}

export const DEFAULT_SESSION_ID: SessionIdOptions = {
  headers: ['x-session-id'],
  cookie: undefined,
  maxSessions: 1024,
  ttlMs: 30 * 60_000,
};

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const UNIT_MS = { ms: 1, s: 1e3, m: 60e3, h: 3600e3 } as const;

/**
 * `session-id-producer`: the session of a request, by a header or a cookie, and the endpoint that it was last sent to.
 * As llm-d-router v0.10, `dataproducer/sessionid`. Parameters: `headerName` (`x-session-id`) or `cookieName`, `lruSize` 1024, `ttl` 30m.
 */
export class SessionIdProducer implements Producer {
  public static readonly TYPE = 'session-id-producer';
  public static readonly NOUN = 'session producer';
  /** Slot of the prepared request's session; -1 where it has none or is new. */
  public boundSlot = -1;
  private session: string | undefined;
  private readonly bindings: SessionBindings;

  public constructor(
    private readonly options: SessionIdOptions,
    clock: Clock,
  ) {
    this.bindings = new SessionBindings(clock, options.maxSessions, options.ttlMs);
  }

  public static standard(clock: Clock): SessionIdProducer {
    return new SessionIdProducer(DEFAULT_SESSION_ID, clock);
  }

  public static fromParameters(parameters: PluginParameters, { clock }: { readonly clock: Clock }): SessionIdProducer {
    const header = parameters.text('headerName', undefined);
    const cookie = parameters.text('cookieName', undefined);
    if (header !== undefined && cookie !== undefined) {
      parameters.fault('cookieName', {
        code: ConfigCode.NOT_EXACTLY_ONE,
        what: 'headerName and cookieName are both set',
        allowed: 'one of them',
        fix: 'remove one',
      });
    }
    const maxSessions = parameters.integer('lruSize', DEFAULT_SESSION_ID.maxSessions, { min: 1, max: 1 << 20 });
    const ttlMs = duration(parameters, 'ttl', DEFAULT_SESSION_ID.ttlMs);
    parameters.done();
    const headers = cookie !== undefined ? [] : [(header ?? 'x-session-id').toLowerCase()];
    return new SessionIdProducer({ headers, cookie, maxSessions, ttlMs }, clock);
  }

  public prepare(request: SchedulingRequest, snapshot: EndpointSnapshot): void {
    this.session = this.sessionOf(request);
    this.boundSlot = this.session === undefined ? -1 : this.bindings.find(this.session, snapshot);
  }

  public picked(snapshot: EndpointSnapshot, slot: number): void {
    if (this.session !== undefined) this.bindings.bind(this.session, slot, snapshot);
  }

  private sessionOf(request: SchedulingRequest): string | undefined {
    const { headers, cookie } = this.options;
    for (let i = 0; i < headers.length; i++) {
      const value = request.header(headers[i]!);
      if (value !== undefined && value !== '') return value;
    }
    return cookie === undefined ? undefined : cookieValue(request.header('cookie'), cookie);
  }
}

/** Value of a cookie in a `Cookie` header (RFC 6265, 4.2.1); undefined when absent or empty. */
function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim() || undefined;
  }
  return undefined;
}

/** A duration as Go writes it, one number and one unit. */
export function duration(parameters: PluginParameters, key: string, fallbackMs: number): number {
  const text = parameters.text(key, undefined);
  if (text === undefined) return fallbackMs;
  const parts = DURATION.exec(text);
  const ms = parts === null ? 0 : Number(parts[1]) * UNIT_MS[parts[2] as keyof typeof UNIT_MS];
  if (ms > 0) return ms;
  parameters.fault(key, {
    code: ConfigCode.BAD_VALUE,
    what: `parameter '${key}' is no duration`,
    value: text,
    allowed: 'a number above 0 and ms, s, m or h, for example 30m',
    fix: 'correct the value, or remove it for the default',
  });
  return fallbackMs;
}
